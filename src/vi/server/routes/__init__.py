"""What the server answers, one file a noun; each makes an APIRouter from the parts it needs."""

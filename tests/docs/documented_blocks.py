"""The code blocks of the guide "Configure Generation", as printed there, in its order."""

BLOCKS = [
    """
from vi.inference import ViModel

model = ViModel(run_id="your-run-id")

result, error = model(
    source="image.jpg",
    user_prompt="Describe this image",
    generation_config={
        "max_new_tokens": 256,
        "temperature": 0.7,
        "top_p": 0.9,
        "do_sample": True
    }
)
""",
    'generation_config={"max_new_tokens": 50}',
    'generation_config={"max_new_tokens": 256}',
    'generation_config={"max_new_tokens": 1024}',
    'generation_config={"temperature": 0.0}',
    'generation_config={"temperature": 0.7}',
    'generation_config={"temperature": 1.5}',
    'generation_config={"top_p": 0.8, "top_k": 10}',
    'generation_config={"top_p": 0.95, "top_k": 50}',
    'generation_config={"top_p": 1.0, "top_k": 100}',
    'generation_config={"do_sample": True, "temperature": 0.7}',
    'generation_config={"do_sample": False}',
    'generation_config={"repetition_penalty": 1.0}',
    'generation_config={"repetition_penalty": 1.2}',
    'generation_config={"repetition_penalty": 1.5}',
    'generation_config={"seed": 42}',
    """
result, error = model(
    source="image.jpg",
    user_prompt="Provide a brief caption",
    generation_config={
        "max_new_tokens": 50,
        "temperature": 0.3,
        "do_sample": True
    }
)
""",
    """
result, error = model(
    source="image.jpg",
    user_prompt="Provide a detailed description",
    generation_config={
        "max_new_tokens": 512,
        "temperature": 0.7,
        "top_p": 0.95,
        "do_sample": True
    }
)
""",
    """
result, error = model(
    source="image.jpg",
    user_prompt="What objects are visible?",
    generation_config={
        "temperature": 0.0,
        "do_sample": False,
        "seed": 42
    }
)
""",
    """
result, error = model(
    source="image.jpg",
    user_prompt="Create an artistic description",
    generation_config={
        "max_new_tokens": 300,
        "temperature": 0.9,
        "top_p": 0.95,
        "do_sample": True,
        "repetition_penalty": 1.2
    }
)
""",
]

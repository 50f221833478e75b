"""How people ask, per question type: wordings that training sees and wordings kept back for the evaluation.

Slots: {kind} {kinds} {colour} {part} ("red bolt") {other} {thing} {side} {region}.
"""

from __future__ import annotations

LEADS = (
    "",
    "",
    "",
    "",
    "Please tell me: ",
    "Look at the picture. ",
    "Quick question: ",
    "Tell me, ",
    "In this image, ",
)

# type -> (seen, unseen)
WORDINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "count_all": (
        (
            "How many parts are there?",
            "How many objects are visible?",
            "Count the parts.",
            "How many parts can you see?",
            "What is the number of parts?",
            "How many things are on the bench?",
            "Count all objects in the image.",
            "How many parts does the picture show?",
            "What's the total number of objects?",
            "How many items are in this picture?",
        ),
        (
            "How many objects can you count?",
            "What is the total number of parts in the picture?",
            "Count the things you can see.",
        ),
    ),
    "count_kind": (
        (
            "How many {kinds} are there?",
            "Count the {kinds}.",
            "How many {kinds} can you see?",
            "How many {kinds} are in the picture?",
            "What is the number of {kinds}?",
            "How many {kinds} are visible?",
            "How many {kinds} does the image show?",
            "Count all {kinds} in this image.",
            "Number of {kinds}?",
            "How many {kinds} lie on the bench?",
        ),
        ("How many {kinds} are on the bench?", "What's the total number of {kinds}?", "Count the {kinds} you can see."),
    ),
    "count_colour": (
        (
            "How many {colour} parts are there?",
            "Count the {colour} parts.",
            "How many parts are {colour}?",
            "How many {colour} objects can you see?",
            "How many {colour} things are in the picture?",
            "What is the number of {colour} parts?",
            "How many of the parts are {colour}?",
            "Number of {colour} objects?",
            "Count all {colour} objects in this image.",
            "How many {colour} parts are visible?",
        ),
        (
            "How many {colour} items are there?",
            "How many objects in the picture are {colour}?",
            "Count the {colour} things you can see.",
        ),
    ),
    "colour": (
        (
            "What color is the {kind}?",
            "What colour is the {kind}?",
            "Which color does the {kind} have?",
            "What is the color of the {kind}?",
            "Name the color of the {kind}.",
            "The {kind} is what color?",
            "What's the {kind}'s color?",
            "Which colour is the {kind}?",
            "What color does the {kind} have?",
            "Tell me the color of the {kind}.",
        ),
        ("What's the color of the {kind}?", "Name the {kind}'s colour.", "Which color is the {kind} in the picture?"),
    ),
    "kind": (
        (
            "What is the {colour} part?",
            "What kind of part is {colour}?",
            "Which part is {colour}?",
            "Name the {colour} object.",
            "What type of part is the {colour} one?",
            "What {colour} part is there?",
            "The {colour} object is what kind of part?",
            "What is the {colour} thing?",
            "Which kind of part is the {colour} one?",
            "What is the name of the {colour} part?",
        ),
        ("What is the {colour} object?", "What type of part is {colour}?", "Name the {colour} part in the picture."),
    ),
    "existence": (
        (
            "Is there a {part}?",
            "Is there a {part} in the picture?",
            "Can you see a {part}?",
            "Does the image show a {part}?",
            "Is a {part} visible?",
            "Do you see a {part}?",
            "Are there any {part}s?",
            "Does the picture contain a {part}?",
            "Is a {part} on the bench?",
            "Is there any {part} here?",
        ),
        ("Can you see any {part}s?", "Is a {part} in the picture?", "Does the picture show a {part}?"),
    ),
    "size": (
        (
            "Is the {part} small or large?",
            "What size is the {part}?",
            "How big is the {part}?",
            "Is the {part} large or small?",
            "What is the size of the {part}?",
            "Would you say the {part} is small or large?",
            "Which size does the {part} have?",
        ),
        ("How large is the {part}?", "What's the size of the {part}?", "Small or large: the {part}?"),
    ),
    "region": (
        (
            "Where is the {part}?",
            "Where in the picture is the {part}?",
            "In which region is the {part}?",
            "Where can you see the {part}?",
            "Where does the {part} lie?",
            "Which part of the image shows the {part}?",
            "What is the position of the {part}?",
            "Locate the {part} in words.",
        ),
        ("Where in the image is the {part}?", "In which part of the picture is the {part}?", "Where's the {part}?"),
    ),
    "relation": (
        (
            "Is the {part} {side} the {other}?",
            "Does the {part} lie {side} the {other}?",
            "Would you say the {part} is {side} the {other}?",
            "Is the {part} placed {side} the {other}?",
            "Can you see the {part} {side} the {other}?",
        ),
        ("Does the picture show the {part} {side} the {other}?", "The {part} is {side} the {other}, right?"),
    ),
    "closest": (
        (
            "What is closest to the {part}?",
            "Which part is closest to the {part}?",
            "What lies closest to the {part}?",
            "Which object is nearest to the {part}?",
            "What is the nearest part to the {part}?",
        ),
        ("Which object is closest to the {part}?", "What is nearest to the {part}?"),
    ),
    "surface": (
        (
            "What are the parts lying on?",
            "What is the surface?",
            "Which surface is shown?",
            "What is the background made of?",
            "What lies under the parts?",
        ),
        ("What surface are the parts lying on?", "What is under the parts?"),
    ),
    "unanswerable": (
        (
            "What color is the {thing}?",
            "Where is the {thing}?",
            "How big is the {thing}?",
            "What size is the {thing}?",
            "What is closest to the {thing}?",
            "Is the {thing} small or large?",
            "What is the color of the {thing}?",
            "Which part is closest to the {thing}?",
            "Where in the picture is the {thing}?",
        ),
        ("Which colour is the {thing}?", "In which region is the {thing}?", "How large is the {thing}?"),
    ),
    "list": (
        (
            "What objects are visible?",
            "What parts are there?",
            "List the parts.",
            "What can you see?",
            "Which objects are in the picture?",
            "Name all parts.",
            "What is in this image?",
            "List all visible objects.",
            "Which parts are visible?",
            "What do you see on the bench?",
        ),
        ("Which objects are visible?", "List all parts in the picture.", "What parts can you see?"),
    ),
    "caption": (
        (
            "Provide a brief caption",
            "Describe this image",
            "Describe this image.",
            "Write a short caption.",
            "Caption this picture.",
            "Give a brief description.",
            "Describe the picture in one sentence.",
            "Write a caption for this image.",
        ),
        ("Provide a short caption.", "Give a brief caption for the picture.", "Describe the image in one sentence."),
    ),
    "detail": (
        (
            "Provide a detailed description",
            "Describe the image in detail.",
            "Analyze and describe this image in detail.",
            "Describe everything you see.",
            "Give a detailed description of the picture.",
            "Describe all parts in detail.",
        ),
        ("Describe this picture in detail.", "Write a detailed description of the image."),
    ),
    "artistic": (
        (
            "Create an artistic description",
            "Write an artistic description.",
            "Describe the picture like a poet.",
            "Describe this scene artistically.",
        ),
        ("Create an artistic description of this picture.", "Describe the image like a poet."),
    ),
    "ground_all": (
        (
            "Analyze, describe and locate all visible objects in this image.",
            "Locate all parts.",
            "Find every part and box it.",
            "Detect all objects.",
            "Describe the picture and locate each part.",
            "Where is everything? Give boxes.",
            "Ground the description in the image.",
        ),
        ("Locate all visible objects.", "Find all parts and give boxes."),
    ),
    "ground_some": (
        (
            "Locate the {target}.",
            "Find the {target}.",
            "Where is the {target}? Give the box.",
            "Detect the {target}.",
            "Box the {target}.",
            "Point out the {target}.",
        ),
        ("Find and locate the {target}.", "Give the box of the {target}."),
    ),
}

ABSENT_THINGS = (
    "car", "dog", "cat", "person", "house", "tree", "bottle", "cup", "book", "phone", "chair", "horse", "bird", "plane",
    "hammer", "apple", "banana", "laptop", "table", "bus", "bicycle", "flower", "shoe", "hat", "ball", "knife", "fork",
)  # fmt: skip
ABSENT_UNSEEN = ("truck", "boat", "spoon", "lamp", "clock", "guitar")


# words that say the same here; a seen wording swaps some of them, so that meaning is learnt rather than sentences
SAME = (
    ("picture", "image", "photo", "scene"),
    ("part", "object", "item", "thing"),
    ("parts", "objects", "items", "things"),
    ("color", "colour"),
    ("visible", "shown"),
    ("see", "spot", "find"),
    ("big", "large"),
    ("show", "contain"),
)

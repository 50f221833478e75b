"""Things that lie on no workbench: those that training asks about, those kept back, and words that mean nothing.

A question about what is not there is answered with its own word for it. Real words alone teach a model to know these
words; made-up ones teach it to copy, also a word that it has never met.
"""

from __future__ import annotations

import numpy as np

from training.workbench.parts import KINDS

ABSENT_THINGS = (
    "car", "dog", "cat", "person", "house", "tree", "bottle", "cup", "book", "phone", "chair", "horse", "bird",
    "plane", "hammer", "apple", "banana", "laptop", "table", "bus", "bicycle", "flower", "shoe", "hat", "ball",
    "knife", "fork", "train", "ship", "van", "tractor", "motorbike", "scooter", "rocket", "helicopter", "wheel",
    "engine", "tyre", "road", "bridge", "tower", "church", "castle", "door", "window", "wall", "roof", "garden",
    "fence", "cow", "pig", "sheep", "goat", "duck", "goose", "hen", "fish", "shark", "whale", "frog", "snake",
    "spider", "ant", "bee", "butterfly", "lion", "tiger", "bear", "wolf", "fox", "rabbit", "mouse", "elephant",
    "giraffe", "zebra", "monkey", "kangaroo", "owl", "eagle", "penguin", "man", "woman", "child", "boy", "girl",
    "baby", "hand", "face", "eye", "foot", "finger", "nose", "bread", "cake", "pizza", "burger", "egg", "cheese",
    "carrot", "tomato", "potato", "lemon", "grape", "pear", "peach", "cherry", "melon", "onion", "shirt", "coat",
    "dress", "sock", "glove", "scarf", "ring", "watch", "bag", "suitcase", "umbrella", "glasses", "plate", "bowl",
    "glass", "mug", "pan", "pot", "kettle", "oven", "fridge", "sink", "towel", "soap", "brush", "comb", "mirror",
    "sofa", "bed", "pillow", "blanket", "carpet", "curtain", "candle", "vase", "basket", "box", "bucket", "broom",
    "ladder", "rope", "pen", "pencil", "letter", "map", "ruler", "scissors", "stapler", "keyboard", "screen",
    "printer", "camera", "radio", "television", "tablet", "cable", "plug", "battery", "lightbulb", "torch",
    "violin", "piano", "drum", "trumpet", "flute", "kite", "doll", "toy", "puzzle", "dice", "card", "saw", "drill",
    "wrench", "pliers", "screwdriver", "axe", "shovel", "rake", "nail", "chisel", "anvil", "clamp", "pump", "valve",
    "pipe", "tank", "crane", "robot", "sun", "moon", "star", "cloud", "mountain", "river", "lake", "sea", "beach",
    "island", "forest", "leaf", "grass", "stone", "rock", "sand", "snow", "fire",
)  # fmt: skip
ABSENT_UNSEEN = ("truck", "boat", "spoon", "lamp", "clock", "guitar")

_ONSETS = (
    "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "bl", "br", "ch", "cl",
    "cr", "dr", "fl", "fr", "gl", "gr", "pl", "pr", "sc", "sh", "sk", "sl", "sn", "sp", "st", "str", "th", "tr", "tw",
)  # fmt: skip
_NUCLEI = ("a", "e", "i", "o", "u", "a", "e", "i", "o", "u", "ai", "ea", "ee", "ie", "oa", "oo", "ou", "ui", "y")
_CODAS = (
    "", "", "", "b", "ck", "d", "f", "g", "l", "ll", "m", "mp", "n", "nd", "ng", "nk", "nt", "p", "r", "rd", "rn", "s",
    "ss", "st", "t", "tch", "x",
)  # fmt: skip


def absent_thing(rng: np.random.Generator, unseen: bool) -> str:
    """What no scene has: in training half of the words are made up; ``unseen`` takes a real one that was kept back."""
    if unseen:
        return str(rng.choice(ABSENT_UNSEEN))
    return made_up(rng) if rng.random() < 0.5 else str(rng.choice(ABSENT_THINGS))


def made_up(rng: np.random.Generator) -> str:
    """A word of one to three syllables that is neither a part nor kept back."""
    while True:
        count = int(rng.choice([1, 2, 3], p=[0.4, 0.45, 0.15]))
        word = "".join(str(rng.choice(piece)) for _ in range(count) for piece in (_ONSETS, _NUCLEI, _CODAS))
        if word not in ABSENT_UNSEEN and word not in KINDS:
            return word

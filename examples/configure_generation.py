"""Every call and every setting of the guide "Configure Generation", asked of the model that ships with the package.

Run it with: python examples/configure_generation.py [picture]
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from vi.inference import ViModel
from vi.workbench import sample

image = sys.argv[1] if len(sys.argv) > 1 else sample("parts.png")
model = ViModel()  # a run of your own: ViModel(run_id="your-run-id")


def show(result: Any, error: Exception | None) -> None:
    """Print what the call set, the answer, and what the answer warns of."""
    if result is None:
        print(f"  error: {error}\n")
        return
    given = ", ".join(f"{name}={value.value}" for name, value in result.generation.items() if value.origin == "call")
    print(f"{result.prompt}  [{given}]")
    print(f"  {str(result)[:200]}  ({result.usage.completion_tokens} tokens, {result.finish_reason})")
    for warning in result.warnings:
        print(f"  note: {warning}")
    print()


print("Basic usage\n")

result, error = model(
    source=image,
    user_prompt="Describe this image",
    generation_config={"max_new_tokens": 256, "temperature": 0.7, "top_p": 0.9, "do_sample": True},
)
show(result, error)

describe = partial(model, source=image, user_prompt="Describe this image")

print("max_new_tokens: the most tokens an answer may have\n")

show(*describe(generation_config={"max_new_tokens": 50}))  # short response
show(*describe(generation_config={"max_new_tokens": 256}))  # medium response
show(*describe(generation_config={"max_new_tokens": 1024}))  # long response

print("temperature: it needs do_sample=True to have an effect, as the notes say\n")

show(*describe(generation_config={"temperature": 0.0}))  # deterministic: best for factual questions
show(*describe(generation_config={"temperature": 0.7}))  # balanced
show(*describe(generation_config={"temperature": 1.5}))  # creative: more varied outputs

print("top_p and top_k: which tokens are considered at each step\n")

show(*describe(generation_config={"top_p": 0.8, "top_k": 10}))  # focused output
show(*describe(generation_config={"top_p": 0.95, "top_k": 50}))  # balanced output
show(*describe(generation_config={"top_p": 1.0, "top_k": 100}))  # the widest

print("do_sample: draw tokens, or take the likeliest one\n")

show(*describe(generation_config={"do_sample": True, "temperature": 0.7}))  # sampling: varied outputs
show(*describe(generation_config={"do_sample": False}))  # greedy decoding: deterministic

print("repetition_penalty: works with and without sampling\n")

show(*describe(generation_config={"repetition_penalty": 1.0}))  # no penalty
show(*describe(generation_config={"repetition_penalty": 1.2}))  # moderate: good for long descriptions
show(*describe(generation_config={"repetition_penalty": 1.5}))  # strong

print("seed: the same seed gives the same text\n")

show(*describe(generation_config={"seed": 42}))

print("Common configurations\n")

result, error = model(
    source=image,
    user_prompt="Provide a brief caption",
    generation_config={"max_new_tokens": 50, "temperature": 0.3, "do_sample": True},
)
show(result, error)

result, error = model(
    source=image,
    user_prompt="Provide a detailed description",
    generation_config={"max_new_tokens": 512, "temperature": 0.7, "top_p": 0.95, "do_sample": True},
)
show(result, error)

result, error = model(
    source=image,
    user_prompt="What objects are visible?",
    generation_config={"temperature": 0.0, "do_sample": False, "seed": 42},
)
show(result, error)

result, error = model(
    source=image,
    user_prompt="Create an artistic description",
    generation_config={
        "max_new_tokens": 300,
        "temperature": 0.9,
        "top_p": 0.95,
        "do_sample": True,
        "repetition_penalty": 1.2,
    },
)
show(result, error)

model.close()

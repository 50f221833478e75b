from __future__ import annotations

import json
from datetime import datetime

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers.utils.chat_template_utils import render_jinja_template

from vi.inference.preprocess.template import ChatTemplate

QWEN = (
    "{% set image_count = namespace(value=0) %}{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "{% endif %}<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}{{ message['content'] }}"
    "<|im_end|>\n{% else %}{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in "
    "content or 'image_url' in content %}{% set image_count.value = image_count.value + 1 %}{% if add_vision_id %}"
    "Picture {{ image_count.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SMOLVLM = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}{% if message['content'][0]['type'] == "
    "'image' %}{{':'}}{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}"
    "{{line['text']}}{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
BLOCKS = """\
{{- bos_token }}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {{- '[S]' + (message.content | map(attribute='text') | join('|') | trim) + '[/S]' }}
        {%- continue %}
    {%- endif %}
    {% if loop.index > 3 %}{% break %}{% endif %}
    {% generation %}
    {{ message['content'] | tojson }} {{ message | tojson(indent=2) }} {{ tools is none }} {{ documents is none }}
    {% endgeneration %}
{% endfor %}
{% macro close(word) %}<{{ word }}>{% endmacro %}
{{ close(eos_token) }}{{ dict(a=1).a }}{{ messages[::-1] | length }}{{ unknown }}
{{- strftime_now('%Y') }}
"""

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PARTS = st.lists(
    st.fixed_dictionaries({"type": st.just("text"), "text": WORDS}) | st.just({"type": "image"}), min_size=1, max_size=3
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": PARTS}),
    min_size=1,
    max_size=5,
)


def stock(template, messages, **variables):
    (text,), _ = render_jinja_template([messages], chat_template=template, **variables)
    return text


@pytest.mark.parametrize("template", [QWEN, SMOLVLM, BLOCKS], ids=["qwen", "smolvlm", "blocks"])
@given(messages=MESSAGES, prompted=st.booleans())
def test_text_is_that_of_transformers(template, messages, prompted):
    variables = {"add_generation_prompt": prompted, "bos_token": "<s>", "eos_token": "</s>"}
    assert ChatTemplate(template).render(messages, **variables) == stock(template, messages, **variables)


def test_the_date_is_todays():
    assert ChatTemplate("{{ strftime_now('%Y-%m') }}").render([]) == f"{datetime.now():%Y-%m}"


@given(st.recursive(WORDS | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner)))
def test_json_is_written_without_the_escapes_of_html(value):
    assert ChatTemplate("{{ messages | tojson }}").render(value) == json.dumps(value, ensure_ascii=False)


def test_a_template_may_refuse():
    with pytest.raises(jinja2.TemplateError, match="only one turn"):
        ChatTemplate("{{ raise_exception('only one turn') }}").render([])


@pytest.mark.parametrize(
    "escape",
    ["''.__class__.__mro__", "messages.append(1)", "cycler.__init__.__globals__", "''|attr('__class__')"],
)
def test_a_template_cannot_leave_its_sandbox(escape):
    text = "{{ " + escape + " }}"
    try:
        assert ChatTemplate(text).render([]) == stock(text, [{}]) == ""
    except jinja2.TemplateError:
        with pytest.raises(jinja2.TemplateError):
            stock(text, [{}])

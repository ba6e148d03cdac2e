"""Asks a hub with the installed openai package, streamed and whole: openai_users.py URL KEY MODEL."""

import json
import sys

from openai import APIStatusError, OpenAI

url, key, model = sys.argv[1:]
client = OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
ask = {"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": "Hello"}]}

streamed = ""
for chunk in client.chat.completions.create(**ask, stream=True):
    if chunk.choices:
        streamed += chunk.choices[0].delta.content or ""

whole = client.chat.completions.with_raw_response.create(**ask)
completion = client.completions.create(model=model, max_tokens=5, prompt="Hello")

try:
    client.chat.completions.create(**{**ask, "model": "org/unknown"})
    refused = None
except APIStatusError as error:
    refused = [error.status_code, error.code]

result = {
    "models": [listed.id for listed in client.models.list()],
    "streamed": streamed,
    "whole": whole.parse().choices[0].message.content,
    "verified": whole.headers["x-targon-verified"],
    "completion": completion.choices[0].text,
    "refused": refused,
}
print("RESULT", json.dumps(result))

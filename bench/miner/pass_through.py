"""A proxy built like the original miner: FastAPI, with httpx to the model server, streaming bytes. It checks no signatures.
httpx has its default limits and uvicorn none of its optional faster packages, as the original installs and runs them.

Arguments: origin of the upstream, port to listen on. Needs fastapi, httpx and uvicorn.
"""

import sys

import httpx
import uvicorn
from fastapi import FastAPI, Request
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

app = FastAPI()
upstream = httpx.AsyncClient(base_url=sys.argv[1])


@app.post("/v1/chat/completions")
async def forward(request: Request) -> StreamingResponse:
    body = await request.body()
    head = {"content-type": "application/json"}
    answer = await upstream.send(
        upstream.build_request("POST", "/v1/chat/completions", content=body, headers=head),
        stream=True,
    )
    return StreamingResponse(
        answer.aiter_raw(),
        status_code=answer.status_code,
        media_type=answer.headers.get("content-type"),
        background=BackgroundTask(answer.aclose),
    )


uvicorn.run(
    app,
    host="127.0.0.1",
    port=int(sys.argv[2]),
    log_level="critical",
    access_log=False,
    loop="asyncio",
    http="h11",
)

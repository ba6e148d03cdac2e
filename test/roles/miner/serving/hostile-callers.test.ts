import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { sse, startFakeVllm } from '../../../support/fake-vllm.js'
import { type MinerRig, startMinerRig } from '../../../support/miner-rig.js'

const BODY = JSON.stringify({ model: 'org/model', stream: true })
const LENGTH = `content-length: ${BODY.length}`
const CHUNKS = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`

describe('hand-written requests', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function start(isEndless = false, settings: object = {}) {
    const vllm = await startFakeVllm({
      answer: ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(sse('first'))
        if (!isEndless) response.end(sse('[DONE]'))
      },
    })
    const rig = await startMinerRig({ settings: { 'model-endpoint': [vllm.url], ...settings } })
    open.push(vllm, rig)
    return { vllm, rig }
  }

  const requestOf = (rig: MinerRig, lines: string[], rest = BODY, version = '1.1') => {
    const signed = Object.entries(rig.sign(BODY)).map(([name, value]) => `${name}: ${value}`)
    const all = [`POST /v1/chat/completions HTTP/${version}`, 'host: x', ...signed, ...lines]
    return `${all.join('\r\n')}\r\n\r\n${rest}`
  }

  function call(rig: MinerRig, bytes: string) {
    const socket = connect(Number(new URL(rig.url).port), '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part
    })
    socket.on('error', () => {})
    socket.write(bytes, 'latin1')
    const statuses = async () => {
      await once(socket, 'close')
      return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
    }
    return { socket, statuses }
  }

  it.each([
    ['two hosts', ['host: y', LENGTH], BODY, '1.1'],
    ['length and chunks', [LENGTH, 'transfer-encoding: chunked'], CHUNKS, '1.1'],
    ['a coding before chunked', ['transfer-encoding: gzip, chunked'], CHUNKS, '1.1'],
    ['an unknown coding', ['transfer-encoding: xchunked'], CHUNKS, '1.1'],
    ['a coding after chunked', ['transfer-encoding: chunked, identity'], CHUNKS, '1.1'],
    ['chunks in HTTP/1.0', ['transfer-encoding: chunked'], CHUNKS, '1.0'],
    ['another HTTP version', [LENGTH], BODY, '2.0'],
    ['a folded line', [LENGTH, 'x-a: b\r\n c'], BODY, '1.1'],
    ['a space before the colon', ['content-length : 5', LENGTH], BODY, '1.1'],
    ['two lengths', [LENGTH, LENGTH], BODY, '1.1'],
    ['a bare carriage return', [LENGTH, 'x-a: b\rtransfer-encoding: chunked'], BODY, '1.1'],
  ])('are refused once and the connection is closed: %s', async (_, lines, rest, version) => {
    const { rig, vllm } = await start()
    const next = requestOf(rig, [LENGTH, 'connection: close'])
    expect(await call(rig, requestOf(rig, lines, rest, version) + next).statuses()).toEqual([400])
    expect(vllm.received).toEqual([])
  })

  it.each([
    ['NOT HTTP\r\n\r\n', 400, 'unreadable_request'],
    [`GET /models HTTP/1.1\r\nhost: x\r\nx-a: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['GET /models HTTP/1.1\r\nhost: x\r\n', 408, 'headers_too_slow'],
  ])('that cannot be read get an error in OpenAI’s shape: %#', async (bytes, status, code) => {
    const { rig } = await start(false, { 'header-timeout': 1 })
    const { socket, statuses } = call(rig, bytes)
    let text = ''
    socket.on('data', (part: string) => {
      text += part
    })
    expect(await statuses()).toEqual([status])
    const [head = '', body = ''] = text.split('\r\n\r\n')
    expect(head).toContain(`content-length: ${body.length}`)
    expect(JSON.parse(body)).toMatchObject({ error: { code, param: null, type: 'invalid_request_error' } })
    expect(await (await fetch(`${rig.statusUrl}/metrics`)).text()).toContain(
      `targon_epistula_rejections_total{reason="${code.toUpperCase()}"} 1`,
    )
  })

  it('never put bytes of a refusal into an answer under way', async () => {
    const { rig, vllm } = await start(true)
    const { socket, statuses } = call(rig, requestOf(rig, [LENGTH]))
    await vllm.arrived(1)
    await once(socket, 'data')
    socket.write('NOT HTTP\r\n\r\n')
    expect(await statuses()).toEqual([200])
    await vllm.received[0]?.closed
  })

  it('get one response for each request pipelined behind a refused one', async () => {
    const { rig, vllm } = await start()
    const refused = 'POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 20000\r\n\r\n'
    const bytes = refused + 'x'.repeat(20_000) + requestOf(rig, [LENGTH, 'connection: close'])
    expect(await call(rig, bytes).statuses()).toEqual([400, 200])
    expect(vllm.received).toHaveLength(1)
  })

  it('are served in HTTP/1.0, and with trailers, which do not count as headers', async () => {
    const { rig } = await start()
    expect(await call(rig, requestOf(rig, [LENGTH], BODY, '1.0')).statuses()).toEqual([200])
    const trailed = CHUNKS.replace(/\r\n\r\n$/, '\r\nx-targon-model: other\r\n\r\n')
    const lines = ['transfer-encoding: chunked', 'connection: close']
    expect(await call(rig, requestOf(rig, lines, trailed)).statuses()).toEqual([200])
  })

  it('are all aborted when the caller disconnects, those not yet answered too', async () => {
    const { rig, vllm } = await start(true)
    const { socket } = call(rig, Array.from({ length: 6 }, () => requestOf(rig, [LENGTH])).join(''))
    await vllm.arrived(6)
    socket.destroy()
    await Promise.all(vllm.received.map((one) => one.closed))
    await expect
      .poll(async () => (await fetch(`${rig.statusUrl}/status`)).json())
      .toMatchObject({ inFlight: 0, requests: { abandoned: 6 } })
  })
})

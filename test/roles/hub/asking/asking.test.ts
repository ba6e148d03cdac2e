import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { createDeferred } from '../../../../src/kernel/index.js'
import {
  MinerFailure,
  NoAnswer,
  type UserRequest,
  UserStalled,
} from '../../../../src/roles/hub/asking/index.js'
import { type AskingRig, startAskingRig } from '../../../support/asking-rig.js'
import { sse } from '../../../support/fake-vllm.js'
import { settle } from '../../../support/manual-clock.js'
import type { Answering } from '../../../support/stream-server.js'

let rig: AskingRig
afterEach(() => rig.close())

const BODY = { model: 'org/model', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 5 }
const REQUEST = {
  ...{ path: '/v1/chat/completions', endpoint: 'chat', model: 'org/model', maxTokens: 5, body: BODY },
} as const satisfies UserRequest

const token = (content: string, finish: string | null = null) => ({
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
})
const open = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })
const answers: Answering = (response) => {
  open(response).end(sse(token('a'), token('b', 'stop'), '[DONE]'))
}
const says =
  (text: string, headers: Record<string, string> = {}, status = 200): Answering =>
  (response) => {
    response.writeHead(status, { 'content-type': 'text/event-stream', ...headers }).end(text)
  }
const silent: Answering = () => {}

function ask(signal = new AbortController().signal) {
  const onFailed = (failed: AskingRig['failed'][number]) => void rig.failed.push(failed)
  const onHedged = () => void rig.hedges++
  return rig.asking.answer(REQUEST, { signal, asked: rig.asked, onFailed, onHedged })
}

async function textOf(pieces: AsyncIterable<{ readonly content: { readonly text: string } }>) {
  let text = ''
  for await (const piece of pieces) text += piece.content.text
  return text
}

describe('a request to a miner', () => {
  it('is signed for it, and has exactly the given body', async () => {
    rig = await startAskingRig([answers])
    const attempt = await ask()
    expect(await textOf(attempt.pieces())).toBe('ab')
    const [received] = rig.servers[0]?.received ?? []
    expect(received).toMatchObject({ method: 'POST', path: '/v1/chat/completions' })
    expect(received?.headers).toMatchObject({
      'epistula-signed-for': rig.miners[0]?.hotkey,
      'x-targon-model': 'org/model',
    })
    expect(JSON.parse(String(received?.body))).toEqual(BODY)
  })
})

describe('before the first token', () => {
  it.each<[string, Answering | undefined, RegExp]>([
    ['no connection', undefined, /connection failed/],
    ['an error', says('{"detail":"broken"}', {}, 500), /answered 500: broken/],
    ['a redirect', says('', { location: 'http://127.0.0.1/' }, 302), /302/],
    ['JSON', says('{}', { 'content-type': 'application/json' }), /JSON instead/],
    ['an encoded body', says('', { 'content-encoding': 'gzip' }), /gzip/],
    ['an empty stream', says(''), /broke off/],
    ['the end alone', says(sse('[DONE]')), /empty/],
    ['what is not JSON', says('data: {"choices": [}]}\n\n'), /not JSON/],
    [
      'JSON that is broken in a member that is not read',
      says('data: {"choices":[],"x":oops}\n\n'),
      /not JSON/,
    ],
    ['deep JSON', says(`data: ${'['.repeat(40)}${']'.repeat(40)}\n\n`), /deeper/],
    ['two choices', says(sse({ choices: [{ delta: {} }, { delta: {} }] })), /more than one choice/],
    ['an error event', says(sse({ error: { message: 'out of memory' } })), /out of memory/],
    ['no route', says('{}', {}, 404), /404/],
    ['a line without end', says(`data: ${'x'.repeat(300_000)}`), /line of more than/],
  ])('%s fails over to the next miner, and is that miner’s fault', async (_, broken, message) => {
    rig = await startAskingRig([broken, answers])
    const attempt = await ask()
    expect(attempt.miner.uid).toBe(1)
    expect(await textOf(attempt.pieces())).toBe('ab')
    expect(rig.asked.size).toBe(2)
    expect(rig.failed.map(({ miner, failure }) => [miner.uid, failure.message])).toEqual([
      [0, expect.stringMatching(message)],
    ])
    expect(rig.ends.get(0)).toEqual({ kind: 'failed' })
  })

  it.each([429, 503])('%i fails over, and nothing is held against the busy miner', async (status) => {
    rig = await startAskingRig([says('{}', {}, status), answers])
    const attempt = await ask()
    expect(attempt.miner.uid).toBe(1)
    attempt.abort()
    expect(rig.ends.get(0)).toEqual({ kind: 'abandoned' })
  })

  it('a request that two miners refuse goes to no third', async () => {
    const refuses = says('{"error":{"message":"top_k is too high"}}', {}, 400)
    rig = await startAskingRig([refuses, refuses, answers])
    const error = await ask().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(NoAnswer)
    expect(error).toMatchObject({ failure: { kind: 'refused', message: expect.stringContaining('top_k') } })
    expect(rig.servers[2]?.received).toHaveLength(0)
    expect([...rig.ends.values()]).toEqual([{ kind: 'abandoned' }, { kind: 'abandoned' }])
  })

  it('no more miners are asked than allowed, and none twice', async () => {
    const fails = says('{}', {}, 500)
    rig = await startAskingRig([fails, fails, answers], { attempts: 2 })
    await expect(ask()).rejects.toMatchObject({ failure: { status: 500 } })
    expect(rig.servers[2]?.received).toHaveLength(0)
    await expect(ask()).rejects.toMatchObject({ failure: undefined })
  })

  it('a miner that sends nothing is late, and one that only sends its role as well', async () => {
    const role: Answering = (response) =>
      void open(response).write(sse({ choices: [{ delta: { role: 'x' } }] }))
    rig = await startAskingRig([silent, role, answers])
    const asked = ask()
    await arrived(0)
    await rig.clock.advance(10_000)
    await arrived(1)
    await rig.clock.advance(10_000)
    expect((await asked).miner.uid).toBe(2)
    expect(rig.failed.map(({ failure }) => failure.kind)).toEqual(['late', 'late'])
  })

  it('a slow miner gets a rival after a while; the first token wins and the other connection is dropped', async () => {
    let slow: ServerResponse | undefined
    const late: Answering = (response) => {
      slow = response
    }
    rig = await startAskingRig([late, answers], { hedgeAfterMs: 2000 })
    const asked = ask()
    await arrived(0)
    await rig.clock.advance(1999)
    expect(rig.servers[1]?.received).toHaveLength(0)
    await rig.clock.advance(1)
    const attempt = await asked
    expect(attempt.miner.uid).toBe(1)
    if (slow && !slow.destroyed) await once(slow, 'close')
    expect(rig.ends.get(0)).toEqual({ kind: 'abandoned' })
    expect(rig.failed).toEqual([])
    expect(rig.hedges).toBe(1)
  })

  it('a user who leaves ends all requests to miners', async () => {
    let waiting: ServerResponse | undefined
    rig = await startAskingRig([
      (response) => {
        waiting = response
      },
      answers,
    ])
    const leaving = new AbortController()
    const asked = ask(leaving.signal)
    await arrived(0)
    leaving.abort(new Error('left'))
    await expect(asked).rejects.toThrow('left')
    if (waiting && !waiting.destroyed) await once(waiting, 'close')
    expect(rig.ends.get(0)).toEqual({ kind: 'abandoned' })
    expect(rig.servers[1]?.received).toHaveLength(0)
  })
})

describe('after the first token', () => {
  it('a pause that is too long ends the answer as late, and one below the limit does not', async () => {
    let stream: ServerResponse | undefined
    rig = await startAskingRig([
      (response) => {
        stream = open(response)
        stream.write(sse(token('a')))
      },
    ])
    const attempt = await ask()
    const pieces = attempt.pieces()
    await pieces.next()
    const second = pieces.next()
    await rig.clock.advance(4900)
    stream?.write(sse(token('b')))
    expect((await second).value?.content.text).toBe('b')
    const third = pieces.next().catch((error: unknown) => error)
    await settle()
    await rig.clock.advance(5000)
    expect(await third).toMatchObject({ kind: 'late', message: 'No token arrived for 5 s' })
  })

  it('time in which the reader does not read does not count against the miner', async () => {
    rig = await startAskingRig([answers])
    const attempt = await ask()
    const pieces = attempt.pieces()
    await pieces.next()
    await rig.clock.advance(30_000)
    expect(await textOf(pieces)).toBe('b')
  })

  it('time in which the reader does not read does not count in the total', async () => {
    const { pieces, send } = await openStream()
    for (const text of ['b', 'c', 'd']) {
      await rig.clock.advance(19_000)
      const next = pieces.next()
      await settle()
      await rig.clock.advance(4000)
      send(token(text, text === 'd' ? 'stop' : null))
      expect((await next).value?.content.text).toBe(text)
    }
    send('[DONE]')
    expect(await pieces.next()).toMatchObject({ done: true })
  })

  it('a miner that takes longer than the total is late, however steadily it sends', async () => {
    const { pieces, send } = await openStream()
    for (let n = 0; n < 14; n++) {
      const next = pieces.next()
      await settle()
      await rig.clock.advance(4000)
      send(token('b'))
      await next
    }
    const last = pieces.next().catch((error: unknown) => error)
    await settle()
    await rig.clock.advance(4000)
    expect(await last).toMatchObject({ kind: 'late', message: 'The answer was not finished within 60 s' })
  })

  it('a reader that takes longer than the total has stalled, and the miner is not at fault', async () => {
    const { pieces, stream } = await openStream()
    const closed = once(stream, 'close')
    await rig.clock.advance(60_000)
    await closed
    await expect(pieces.next()).rejects.toThrow(UserStalled)
  })

  it('a stream that breaks off without a reason is a failure', async () => {
    rig = await startAskingRig([says(sse(token('a')))])
    const attempt = await ask()
    await expect(textOf(attempt.pieces())).rejects.toThrow(MinerFailure)
  })

  it('an answer that is not wanted any more drops the connection', async () => {
    let stream: ServerResponse | undefined
    rig = await startAskingRig([
      (response) => {
        stream = open(response)
        stream.write(sse(token('a')))
      },
    ])
    const attempt = await ask()
    for await (const _ of attempt.pieces()) break
    if (stream && !stream.destroyed) await once(stream, 'close')
    expect(stream?.destroyed).toBe(true)
  })
})

/** One miner has sent a first token, which was read. */
async function openStream() {
  const opened = createDeferred<ServerResponse>()
  rig = await startAskingRig([
    (response) => {
      open(response).write(sse(token('a')))
      opened.resolve(response)
    },
  ])
  const pieces = (await ask()).pieces()
  await pieces.next()
  const stream = await opened.promise
  const send = (event: Parameters<typeof sse>[0]) => void stream.write(sse(event))
  return { pieces, stream, send }
}

/** Resolves when this miner has received a request and its deadline runs. */
async function arrived(index: number): Promise<void> {
  while (rig.servers[index]?.received.length === 0) await settle()
  await settle()
}

import { isIP } from 'node:net'
import { z } from 'zod'
import { isSpecialAddress, messageOf, parseJson, withDeadline } from '../../kernel/index.js'
import type { Context } from '../context.js'
import { type Seen, warn } from '../finding.js'

const CALL_MS = 5000
const STREAM_MS = 60_000
const STREAM_TOKENS = 48
/** A stream shorter than this is over before anything could be told from it. */
const SHORTEST_STREAM_MS = 400
/** Share of the time of a stream after which its first byte is late. */
const LATE_SHARE = 0.85
/** Of a body, when only its start matters. */
const BODY_BYTES = 64 * 1024

/** A vLLM server as its operator addresses it. */
export interface ProbedServer {
  /** Without `/v1`. */
  readonly url: string
  readonly apiKey: string | undefined
}

type ProbeContext = Pick<Context, 'clock' | 'machine'>

const versionSchema = z.object({ version: z.string().max(100) })

/** @returns undefined for a server that is not vLLM, or hides it */
export async function readVersion(
  { url, apiKey }: ProbedServer,
  { clock }: ProbeContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  const answer = await call(`${url}/version`, { headers: authorization(apiKey) }, clock, signal)
  return versionSchema.safeParse(parseJson(answer?.text ?? '')).data?.version
}

/** Why nothing answers at a server's address; undefined when something does. */
export async function unreachableReason(
  { url, apiKey }: ProbedServer,
  { clock }: Pick<Context, 'clock'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await withDeadline(clock, `the answer of ${url}`, CALL_MS, signal, async (own) => {
      const headers = authorization(apiKey)
      const response = await fetch(`${url}/v1/models`, { headers, signal: own, redirect: 'manual' })
      await response.body?.cancel()
    })
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    const inner = error instanceof Error && error.cause !== undefined ? error.cause : error
    return messageOf(inner)
  }
}

/**
 * Whether strangers can use a server: a public address whose paths outside /v1 need no key, or a local server that answers on
 * this machine's other addresses, too.
 */
export async function exposureFindings(
  server: ProbedServer,
  context: ProbeContext,
  signal: AbortSignal,
): Promise<Seen[]> {
  const url = new URL(server.url)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const addresses =
    isIP(host) > 0
      ? [{ address: host }]
      : await context.machine.lookup(host).catch(() => {
          signal.throwIfAborted()
          return []
        })
  const isLoopback = addresses.some(({ address }) => address === '::1' || address.startsWith('127.'))
  if (isLoopback) return await wideFindings(url, context, signal)
  if (addresses.every(({ address }) => isSpecialAddress(address))) return []
  const path = await openPath(server.url, context.clock, signal)
  if (path === undefined) return []
  return [
    warn(
      `${server.url}${path} answers strangers without a key: anyone can use this server.`,
      'Let only the machine of this node reach it (firewall), or put a proxy in front that checks the key on every path.',
    ),
  ]
}

async function wideFindings(
  url: URL,
  { clock, machine }: ProbeContext,
  signal: AbortSignal,
): Promise<Seen[]> {
  for (const own of machine.ownAddresses()) {
    const base = `${url.protocol}//${isIP(own) === 6 ? `[${own}]` : own}:${url.port}`
    const path = await openPath(base, clock, signal)
    if (path === undefined) continue
    return [
      warn(
        `The model server on ${url.host} also answers on ${own} without a key (${path}): anyone who reaches this machine can use it.`,
        'Start it with --host 127.0.0.1, or close its port in the firewall.',
      ),
    ]
  }
  return []
}

/** Paths that start work. vLLM’s key guards /v1 only. An empty body starts nothing: an open path refuses it with 400 or 422. */
const PATHS = ['/v1/completions', '/invocations', '/tokenize']

async function openPath(
  base: string,
  clock: Context['clock'],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const path of PATHS) {
    const headers = { 'content-type': 'application/json' }
    const answer = await call(base + path, { method: 'POST', headers, body: '{}' }, clock, signal)
    if (answer === undefined) return undefined
    if ([200, 400, 422].includes(answer.status)) return path
  }
  return undefined
}

/** Whether something between here and the server keeps its stream back, measured by when the first byte arrives. */
export async function bufferingFindings(
  server: ProbedServer,
  model: string,
  context: ProbeContext,
  signal: AbortSignal,
): Promise<Seen[]> {
  let timing: StreamTiming | undefined
  // Twice, because a server that is busy starts late, too.
  for (let attempt = 0; attempt < 2; attempt++) {
    timing = await timeStream(server, model, context.clock, signal)
    if (!timing || !isLate(timing)) return []
  }
  if (!timing) return []
  const { firstMs, totalMs } = timing
  return [
    warn(
      `${server.url} sends the first byte of a stream after ${Math.round(firstMs)} ms of ${Math.round(totalMs)} ms: a proxy in between keeps the stream back, and validators take it for one that was generated beforehand.`,
      'Turn off buffering in the proxy (nginx: proxy_buffering off), or address the server itself.',
    ),
  ]
}

interface StreamTiming {
  readonly firstMs: number
  readonly totalMs: number
}

function isLate({ firstMs, totalMs }: StreamTiming): boolean {
  return totalMs >= SHORTEST_STREAM_MS && firstMs >= LATE_SHARE * totalMs
}

/** @returns undefined when the server does not stream this answer, which other checks show */
async function timeStream(
  { url, apiKey }: ProbedServer,
  model: string,
  clock: Context['clock'],
  signal: AbortSignal,
): Promise<StreamTiming | undefined> {
  const body = { model, prompt: 'Count from one to twenty:', max_tokens: STREAM_TOKENS, stream: true }
  const headers = { 'content-type': 'application/json', ...authorization(apiKey) }
  try {
    return await withDeadline(clock, `a stream of ${url}`, STREAM_MS, signal, async (own) => {
      const init = { method: 'POST', headers, body: JSON.stringify({ ...body, ignore_eos: true }) }
      const startedAt = clock.monotonic()
      const response = await fetch(`${url}/v1/completions`, { ...init, signal: own, redirect: 'manual' })
      if (!response.ok || !response.body) return undefined
      let firstMs: number | undefined
      for await (const _ of response.body) firstMs ??= clock.monotonic() - startedAt
      return firstMs === undefined ? undefined : { firstMs, totalMs: clock.monotonic() - startedAt }
    })
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

/** @returns undefined when no answer arrives */
async function call(
  url: string,
  init: RequestInit,
  clock: Context['clock'],
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string } | undefined> {
  try {
    return await withDeadline(clock, url, CALL_MS, signal, async (own) => {
      const response = await fetch(url, { ...init, signal: own, redirect: 'manual' })
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of response.body ?? []) {
        chunks.push(chunk)
        size += chunk.length
        if (size > BODY_BYTES) break
      }
      return { status: response.status, text: Buffer.concat(chunks).toString('utf8') }
    })
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

function authorization(apiKey: string | undefined): Record<string, string> {
  return apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
}

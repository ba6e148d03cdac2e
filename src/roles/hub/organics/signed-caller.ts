import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createReplayMemory, verifyRequest } from '../../../epistula/index.js'
import { type Clock, publicKeyOf } from '../../../kernel/index.js'

export interface SignedCallerOptions {
  /** Whether this hotkey may read organics and report verdicts. */
  readonly isAllowed: (hotkey: string) => boolean
  readonly clock: Clock
}

/** Bytes of bodies read at once: of all callers, and from one address. */
const MAX_READING = { all: 192 << 20, address: 64 << 20 }
/** Requests of all validators within the window of Epistula, and far more. */
const REPLAY_CAPACITY = 16_384

const SIGNED_BY = 'signedBy'
const NOT_ALLOWED = 'This hotkey may not read organics or report verdicts'
const TOO_MANY = 'Too many requests at the moment'

/** Hotkey whose signature was verified for this request. */
export function signerOf(request: FastifyRequest): string {
  return request.getDecorator<string>(SIGNED_BY)
}

/**
 * Requires Epistula without a receiver from an allowed hotkey for every POST of this instance. Strangers are refused before
 * their body is read. Await `initSr25519()` first.
 */
export function requireSignedCaller(
  server: FastifyInstance,
  { isAllowed, clock }: SignedCallerOptions,
): void {
  const replays = createReplayMemory(clock, { capacity: REPLAY_CAPACITY })
  const reading = createReadingCounter()
  server.decorateRequest(SIGNED_BY, '')
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  server.addHook('onRequest', async (request, reply) => {
    if (request.method !== 'POST') return
    const signer = headerOf(request, 'epistula-signed-by')
    if (publicKeyOf(signer) === undefined) return refuse(reply, 400, 'Invalid Sender key')
    if (!isAllowed(signer)) return refuse(reply, 401, NOT_ALLOWED)
    if (!reading.begin(request, reply)) return refuse(reply, 503, TOO_MANY)
  })
  server.addHook('preHandler', async (request, reply) => {
    if (request.method !== 'POST') return
    const claim = verifyRequest({
      headers: request.raw.headersDistinct,
      body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      nowMs: clock.now(),
      signedFor: '',
    })
    if (!claim.ok) return refuse(reply, claim.status, claim.detail)
    // Repeated headers have been refused now, so this is the signer whose permit was checked.
    if (!isAllowed(claim.signedBy)) return refuse(reply, 401, NOT_ALLOWED)
    const verdict = replays.admit(claim)
    if (verdict === 'REPLAY_GUARD_FULL') return refuse(reply, 503, TOO_MANY)
    if (verdict !== 'fresh') return refuse(reply, 400, 'Request was received before')
    request.setDecorator(SIGNED_BY, claim.signedBy)
  })
}

/** In the form of Targon 4.4.1. */
function refuse(reply: FastifyReply, status: number, detail: string): FastifyReply {
  return reply.code(status).send({ detail })
}

function headerOf(request: FastifyRequest, name: string): string {
  return request.raw.headersDistinct[name]?.[0] ?? ''
}

function createReadingCounter() {
  let all = 0
  const byAddress = new Map<string, number>()
  const add = (address: string, bytes: number) => {
    all += bytes
    const sum = (byAddress.get(address) ?? 0) + bytes
    if (sum > 0) byAddress.set(address, sum)
    else byAddress.delete(address)
  }
  return {
    /** @returns false when too much is being read. Otherwise the body counts until its request has been answered. */
    begin: (request: FastifyRequest, reply: FastifyReply): boolean => {
      const limit = request.routeOptions.bodyLimit
      const bytes = Math.min(limit, Number(headerOf(request, 'content-length') || limit)) + 1
      const address = request.ip
      const isFull =
        all + bytes > MAX_READING.all || (byAddress.get(address) ?? 0) + bytes > MAX_READING.address
      if (isFull) return false
      add(address, bytes)
      reply.raw.once('close', () => add(address, -bytes))
      return true
    },
  }
}

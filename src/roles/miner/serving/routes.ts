import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CallerAddress, Clock, Log } from '../../../kernel/index.js'
import type { Deadlines, ForwardedRequest, Forwarder, Outcome } from '../../../routing/index.js'
import {
  type Admission,
  type AdmissionRefusal,
  type AdmittedRequest,
  BAD_MODEL_LIST,
  DRAINING,
  discardBody,
  INTERNAL_ERROR,
  MODEL_MISMATCH,
  MODEL_MISSING,
  NOT_FOUND,
  UNCLEAR_REQUEST,
  writeRefusal,
} from '../admission/index.js'
import type { RequestReader } from '../requests/index.js'
import { refusalOf } from './body-refusals.js'
import type { RequestCounter, RequestEnd } from './request-counter.js'
import type { Traffic } from './traffic.js'
import type { WantedModels } from './wanted-models.js'

export interface RouteDeps {
  readonly clock: Clock
  readonly log: Log
  readonly deadlines: Deadlines
  readonly admission: Admission
  readonly router: Forwarder
  readonly reader: RequestReader
  readonly wanted: Pick<WantedModels, 'take'>
  readonly requests: Pick<RequestCounter, 'admitted' | 'refused' | 'ended'>
  readonly traffic: Pick<Traffic, 'ended'>
  readonly callerAddress: CallerAddress
  readonly isDraining: () => boolean
  /** Told how every forwarded request ended. */
  readonly onOutcome?: (request: Pick<ForwardedRequest, 'path' | 'model'>, outcome: Outcome) => void
}

type RouteName = 'chat' | 'completion' | 'models' | 'wanted'

const ROUTES: ReadonlyMap<string, RouteName> = new Map([
  ['POST /v1/chat/completions', 'chat'],
  ['POST /v1/completions', 'completion'],
  ['GET /models', 'models'],
  ['POST /models', 'wanted'],
])

const PATHS: Readonly<Record<'chat' | 'completion', ForwardedRequest['path']>> = {
  chat: '/chat/completions',
  completion: '/completions',
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** The four routes of the public port, each behind admission, and 404 for everything else. Never rejects. */
export function createRequestHandler(deps: RouteDeps): RequestHandler {
  const routes = new PublicRoutes(deps)
  return (request, response) => routes.handle(request, response)
}

class PublicRoutes {
  readonly #deps: RouteDeps

  constructor(deps: RouteDeps) {
    this.#deps = deps
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { log, requests, isDraining } = this.#deps
    try {
      const route = routeOf(request)
      if (typeof route !== 'string') {
        if (route === UNCLEAR_REQUEST) response.shouldKeepAlive = false
        requests.ended('other', this.#refuse(request, response, route))
      } else if (isDraining()) {
        response.shouldKeepAlive = false
        requests.ended(route, this.#refuse(request, response, DRAINING))
      } else requests.ended(route, await this.#serve(route, request, response))
    } catch (error) {
      log.error({ event: 'request-failed', err: error }, 'request failed with an internal error')
      this.#refuse(request, response, INTERNAL_ERROR)
      requests.ended('other', 'failed')
    }
  }

  async #serve(route: RouteName, request: IncomingMessage, response: ServerResponse): Promise<RequestEnd> {
    const { log, admission, router, requests, callerAddress, clock, deadlines } = this.#deps
    const isInference = route === 'chat' || route === 'completion'
    const model = isInference ? request.headersDistinct['x-targon-model']?.[0] : undefined
    const result = await admission.admit(request, callerAddress(request), model, response)
    if (result.kind === 'caller-left') return 'abandoned'
    if (result.kind === 'refused') {
      const { refusal, caller } = result
      const { code } = refusal
      const address = request.socket.remoteAddress
      log.debug(
        { event: 'request-refused', route, code, hotkey: caller?.hotkey, address },
        'refused a request',
      )
      return this.#refuse(request, response, refusal, caller)
    }
    if (result.kind === 'unavailable') {
      const { hotkey, uid, reason } = result
      const outcome = router.refuse(response, model ?? '', reason)
      discardBody(clock, deadlines, request, response)
      // The signature is not verified yet: this is neither worth a warning nor a failed request of that hotkey.
      log.debug({ event: 'request-not-served', hotkey, uid, model, ...outcome }, 'could not serve a request')
      return 'refused'
    }
    try {
      requests.admitted(result.hotkey, result.uid)
      return await this.#answer(route, result, request, response)
    } finally {
      result.release()
    }
  }

  async #answer(
    route: RouteName,
    admitted: AdmittedRequest,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<RequestEnd> {
    const { router, wanted, log } = this.#deps
    const { hotkey, uid, body } = admitted
    if (route === 'models') {
      writeJson(response, router.models())
      return 'answered'
    }
    if (route === 'wanted') {
      if (!wanted.take(hotkey, body)) return this.#refuse(request, response, BAD_MODEL_LIST, admitted)
      log.debug({ event: 'wanted-models-received', hotkey, uid }, 'validator sent its model list')
      writeJson(response, '')
      return 'answered'
    }
    return await this.#forward(PATHS[route], admitted, request, response)
  }

  async #forward(
    path: ForwardedRequest['path'],
    admitted: AdmittedRequest,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<RequestEnd> {
    const { router, reader } = this.#deps
    const { body } = admitted
    const reading = await reader.read(body)
    if (reading.kind !== 'read') return this.#refuse(request, response, refusalOf(reading), admitted)
    const { isStreamed, outline } = reading
    const model = reading.model ?? router.onlyModel()
    const claimed = request.headersDistinct['x-targon-model']
    if (model !== undefined && claimed?.some((name) => name !== model))
      return this.#refuse(request, response, MODEL_MISMATCH, admitted)
    if (model === undefined && router.models().length > 0)
      return this.#refuse(request, response, MODEL_MISSING, admitted)
    const outcome =
      model === undefined
        ? router.refuse(response, '', 'down')
        : await router.forward({
            ...{ path, model, isModelImplied: reading.model === undefined },
            ...{ isStreamed, body, outline, response },
          })
    this.#deps.onOutcome?.({ path, model: model ?? '' }, outcome)
    const end = this.#record(admitted, model ?? '', outcome)
    const firstByteMs = outcome.kind === 'answered' ? outcome.firstByteMs : undefined
    this.#deps.traffic.ended(admitted, model ?? '', end, firstByteMs)
    return end
  }

  #record({ hotkey, uid }: AdmittedRequest, model: string, outcome: Outcome): RequestEnd {
    const { log } = this.#deps
    const fields = () => ({ hotkey, uid, model, ...outcome })
    if (outcome.kind === 'answered') {
      if (log.isLevelEnabled('debug'))
        log.debug({ event: 'request-answered', ...fields() }, 'answered a request')
      return 'answered'
    }
    if (outcome.kind === 'caller-left') {
      log.debug({ event: 'caller-left', ...fields() }, 'caller disconnected before the answer ended')
      return 'abandoned'
    }
    if (outcome.kind === 'broken') {
      log.warn({ event: 'answer-interrupted', ...fields() }, 'answer was cut off before its end')
      return 'failed'
    }
    const isOurFault = outcome.status >= 500
    log[isOurFault ? 'warn' : 'debug'](
      { event: 'request-not-served', ...fields() },
      'could not serve a request',
    )
    return isOurFault ? 'failed' : 'refused'
  }

  /** @param caller the registered hotkey that the request names, if it got that far. */
  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: AdmissionRefusal,
    caller?: Pick<AdmittedRequest, 'hotkey' | 'uid'>,
  ): 'refused' {
    const { requests, clock, deadlines } = this.#deps
    requests.refused(refusal.code, caller)
    writeRefusal(clock, deadlines, request, response, refusal)
    return 'refused'
  }
}

/** Either the route or the refusal of a request that has none. */
function routeOf(request: IncomingMessage): RouteName | AdmissionRefusal {
  if (!isUnambiguous(request)) return UNCLEAR_REQUEST
  return ROUTES.get(`${request.method} ${pathOf(request)}`) ?? NOT_FOUND
}

/** False for requests Node accepts that a proxy in front of us may read differently (RFC 9112 §2.3, §3.2, §6.1). */
function isUnambiguous({ headersDistinct, httpVersion }: IncomingMessage): boolean {
  const coding = headersDistinct['transfer-encoding']
  if (httpVersion !== '1.1' && (httpVersion !== '1.0' || coding !== undefined)) return false
  if (coding !== undefined && (coding.length !== 1 || coding[0]?.toLowerCase() !== 'chunked')) return false
  return (headersDistinct.host?.length ?? 0) <= 1
}

/** Without the query, and without the origin that a forward proxy sends along (RFC 9112 §3.2.2). */
function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?')
  const target = query === -1 ? url : url.slice(0, query)
  return target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/]*/i, '')
}

function writeJson(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value)
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
  })
  response.end(body)
}

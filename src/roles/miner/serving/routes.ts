import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Log } from '../../../kernel/index.js'
import {
  type Deadlines,
  type ForwardedRequest,
  type Outcome,
  type Router,
  readRequest,
} from '../../../routing/index.js'
import type { MinerMetrics } from '../../../telemetry/index.js'
import {
  type Admission,
  type AdmissionRefusal,
  type AdmittedRequest,
  type CallerAddress,
  dropBody,
  writeRefusal,
} from '../admission/index.js'
import type { RequestCounter, RequestEnd } from './request-counter.js'
import type { WantedModels } from './wanted-models.js'

export interface RouteDeps {
  readonly clock: Clock
  readonly log: Log
  readonly deadlines: Deadlines
  readonly door: Admission
  readonly router: Router
  readonly wanted: WantedModels
  readonly tally: RequestCounter
  readonly metrics: MinerMetrics
  readonly callerAddress: CallerAddress
  /** True from SIGTERM on. */
  readonly isDraining: () => boolean
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

/** The four routes of the public port, all behind the door, and 404 for the rest. Never rejects. */
export function createRequestHandler(deps: RouteDeps): RequestHandler {
  const { log, tally } = deps
  const refuse = (request: IncomingMessage, response: ServerResponse, refusal: AdmissionRefusal) => {
    tally.reject(refusal.code)
    writeRefusal(deps.clock, deps.deadlines, request, response, refusal)
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<[string, RequestEnd]> => {
    if (!isPlain(request)) {
      response.shouldKeepAlive = false
      refuse(request, response, UNCLEAR)
      return ['other', 'refused']
    }
    const route = ROUTES.get(`${request.method} ${pathOf(request)}`)
    if (route === undefined) {
      refuse(request, response, NOT_FOUND)
      return ['other', 'refused']
    }
    if (deps.isDraining()) {
      response.shouldKeepAlive = false
      refuse(request, response, DRAINING)
      return [route, 'refused']
    }
    const isInference = route === 'chat' || route === 'completion'
    const announced = isInference ? request.headersDistinct['x-targon-model']?.[0] : undefined
    const entry = await deps.door.enter(request, deps.callerAddress(request), announced)
    if (entry.kind === 'gone') return [route, 'abandoned']
    if (entry.kind === 'refused') {
      const { refusal, hotkey } = entry
      log.debug(
        {
          event: 'request-refused',
          route,
          code: refusal.code,
          hotkey,
          address: request.socket.remoteAddress,
        },
        'refused a request',
      )
      refuse(request, response, refusal)
      return [route, 'refused']
    }
    if (entry.kind === 'unserved') {
      const { hotkey, uid, lack } = entry
      const outcome = deps.router.refuse(response, announced ?? '', lack)
      dropBody(deps.clock, deps.deadlines, request, response)
      // nobody has proven to be this hotkey: no failure of a request of its, and no line in the log for each
      log.debug(
        { event: 'request-not-served', hotkey, uid, model: announced, ...outcome },
        'could not serve a request',
      )
      return [route, 'refused']
    }
    try {
      tally.caller(entry.hotkey, entry.uid)
      return [route, await answer(route, entry, request, response)]
    } finally {
      entry.leave()
    }
  }

  const answer = async (
    route: RouteName,
    admission: AdmittedRequest,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<RequestEnd> => {
    if (route === 'models') {
      writeJson(response, deps.router.models())
      return 'answered'
    }
    if (route === 'wanted') {
      if (!deps.wanted.take(admission.hotkey, admission.body)) {
        refuse(request, response, NO_LIST)
        return 'refused'
      }
      log.info(
        { event: 'wanted-models-received', hotkey: admission.hotkey, uid: admission.uid },
        'validator sent its model list',
      )
      writeJson(response, '')
      return 'answered'
    }
    const facts = readRequest(admission.body)
    const claimed = request.headersDistinct['x-targon-model']
    if (facts === undefined || claimed?.some((model) => model !== facts.model)) {
      refuse(request, response, facts === undefined ? NO_REQUEST : OTHER_MODEL)
      return 'refused'
    }
    const outcome = await deps.router.forward({
      ...facts,
      path: PATHS[route],
      body: admission.body,
      response,
    })
    return note(admission, facts.model, outcome)
  }

  const note = ({ hotkey, uid }: AdmittedRequest, model: string, outcome: Outcome): RequestEnd => {
    const fields = () => ({ hotkey, uid, model, ...outcome })
    if (outcome.kind === 'answered') {
      deps.metrics.upstreamDuration.observe(outcome.totalMs / 1000)
      deps.metrics.timeToFirstByte.observe(outcome.firstByteMs / 1000)
      if (log.isLevelEnabled('debug'))
        log.debug({ event: 'request-answered', ...fields() }, 'answered a request')
      return 'answered'
    }
    if (outcome.kind === 'caller-left') {
      log.debug({ event: 'caller-left', ...fields() }, 'the caller left before the answer ended')
      return 'abandoned'
    }
    const isOurs = outcome.kind === 'broken' || outcome.status >= 500
    if (outcome.kind === 'broken')
      log.warn({ event: 'answer-interrupted', ...fields() }, 'the answer broke off before its end')
    else
      log[isOurs ? 'warn' : 'debug'](
        { event: 'request-not-served', ...fields() },
        'could not serve a request',
      )
    return isOurs ? 'failed' : 'refused'
  }

  return async (request, response) => {
    try {
      const [route, end] = await serve(request, response)
      tally.end(route, end)
    } catch (error) {
      log.error({ event: 'request-failed', err: error }, 'a request failed inside the miner')
      refuse(request, response, { code: 'INTERNAL', status: 500, detail: 'Internal error' })
      tally.end('other', 'failed')
    }
  }
}

/** What Node lets through though a proxy before us may have read it differently (RFC 9112 §2.3, §3.2, §6.1). */
function isPlain({ headersDistinct, httpVersion }: IncomingMessage): boolean {
  const coding = headersDistinct['transfer-encoding']
  if (httpVersion !== '1.1' && (httpVersion !== '1.0' || coding !== undefined)) return false
  if (coding !== undefined && (coding.length !== 1 || coding[0]?.toLowerCase() !== 'chunked')) return false
  return (headersDistinct.host?.length ?? 0) <= 1
}

/** Without the query, and without the origin that a request through a forward proxy carries (RFC 9112 §3.2.2). */
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

const UNCLEAR: AdmissionRefusal = {
  code: 'UNCLEAR_REQUEST',
  status: 400,
  detail: 'Request can be read in more than one way',
}
const NOT_FOUND: AdmissionRefusal = { code: 'NOT_FOUND', status: 404, detail: 'Not Found' }
const DRAINING: AdmissionRefusal = {
  code: 'DRAINING',
  status: 503,
  detail: 'The miner is shutting down',
  retryAfterSeconds: 10,
}
const NO_LIST: AdmissionRefusal = {
  code: 'BAD_MODEL_LIST',
  status: 400,
  detail: 'Body is not a list of models',
}
const NO_REQUEST: AdmissionRefusal = {
  code: 'BAD_REQUEST_BODY',
  status: 400,
  detail: 'Body is not a JSON object with a model',
}
const OTHER_MODEL: AdmissionRefusal = {
  code: 'MODEL_MISMATCH',
  status: 400,
  detail: 'X-Targon-Model differs from the model of the body',
}

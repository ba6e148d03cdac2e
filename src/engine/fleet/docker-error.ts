import { HTTPError, RequestError } from 'got'
import {
  isJsonObject,
  messageOf,
  parseJson,
  RAISE_DESCRIPTOR_LIMIT,
  TargonError,
} from '../../kernel/index.js'

const DETAIL_LENGTH = 300

/** What to do, by the code of a connection's error or by what the daemon says. The first one that matches counts. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/\b(?:EMFILE|ENFILE)\b/, RAISE_DESCRIPTOR_LIMIT],
  [
    /\bEACCES\b/,
    'Let this user access the Docker socket (usually by adding it to the group docker), or use --engine.mode endpoints.',
  ],
  [
    /\b(?:ENOENT|ECONNREFUSED)\b/,
    'Start Docker, or name its socket with --engine.docker-socket, or use --engine.mode endpoints.',
  ],
  // Docker without a driver for GPUs, with a runtime that is not installed, and with CDI but no specification of the GPUs.
  [
    /could not select device driver|unknown or invalid runtime name: nvidia|nvidia-container|CDI device|GPU vendor|libnvidia-ml/i,
    'Install nvidia-container-toolkit, run nvidia-ctk runtime configure --runtime=docker, and restart Docker.',
  ],
  [
    /unauthorized|authentication required|no basic auth|access denied|denied: |incorrect username or password/i,
    'Set TARGON_ENGINE_REGISTRY_USER and TARGON_ENGINE_REGISTRY_PASSWORD for this registry, and check --engine.image.',
  ],
  [
    /manifest .*(?:unknown|not found)|repository .*not found|pull access denied|invalid reference format/i,
    'Check --engine.image and --engine.image-tag.',
  ],
  [
    /no space left on device/i,
    "Free space on the disk of Docker's data folder; docker system df shows what uses it.",
  ],
  [
    /no such host|i\/o timeout|connection refused|TLS handshake|network is unreachable|toomanyrequests|Client\.Timeout/i,
    'Check the connection to the registry; --engine.image names a mirror, and docker pull shows the error too.',
  ],
]
const OTHER_ADVICE = "Read the Docker daemon's log (journalctl -u docker), or use --engine.mode endpoints."

/**
 * A call that Docker refused or that did not reach it: code DOCKER, fault `upstream`, `facts.status` of a refusal. It has no
 * `cause`, because got's errors hold the whole connection with its headers.
 */
export function dockerError(socketPath: string, what: string, error: unknown): TargonError {
  const refusal = error instanceof HTTPError ? error.response : undefined
  const why = refusal ? `${refusal.statusCode} ${bodyText(refusal.body)}` : reasonOf(error)
  return new TargonError(`Docker at ${socketPath} failed: ${what}: ${why.slice(0, DETAIL_LENGTH)}`, {
    code: 'DOCKER',
    fault: 'upstream',
    next: ADVICE.find(([pattern]) => pattern.test(why))?.[1] ?? OTHER_ADVICE,
    facts: refusal ? { status: refusal.statusCode } : {},
  })
}

/** True for a call that Docker refused with this status. */
export function isRefusal(error: unknown, ...statuses: number[]): error is TargonError {
  return error instanceof TargonError && statuses.some((status) => error.facts.status === status)
}

function reasonOf(error: unknown): string {
  const message = messageOf(error)
  const code = error instanceof RequestError ? error.code : undefined
  return code === undefined || message.includes(code) ? message : `${message} (${code})`
}

/** Docker explains a refusal as `{"message": …}`. */
function bodyText(body: unknown): string {
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : String(body ?? '')
  const document = parseJson(text)
  return isJsonObject(document) && typeof document.message === 'string' ? document.message : text.trim()
}

import { readFileSync } from 'node:fs'

/** A response of the miner's public port to a request it does not serve. */
export interface DocumentedRefusal {
  readonly code: string
  readonly statuses: readonly string[]
  readonly text: string
}

const read = (path: string) => readFileSync(new URL(`../../src/${path}`, import.meta.url), 'utf8')

const LITERAL = "(?:'([^']*)'|`([^`]*)`)"

/** Who can fix it, and how. */
const FIXES: Readonly<Record<string, string>> = {
  REPEATED_HEADER: 'caller: send each Epistula header once',
  UNKNOWN_VERSION: 'caller: sign with Epistula version 2',
  NOT_FOR_SELF:
    'caller: sign for the hotkey of this miner; also happens behind a load balancer for two hotkeys',
  UNKNOWN_SIGNER: 'caller: register the hotkey on the subnet; the miner notices within minutes',
  LOW_STAKE: 'caller: add stake; miner: `--min-stake`, `--no-force-validator-permit`',
  INVALID_SIGNATURE: 'caller: send the signature as 64 bytes in hex',
  INVALID_TIMESTAMP: 'caller: send milliseconds, 13 digits',
  INVALID_SENDER: 'caller: send its hotkey as an ss58 address',
  INVALID_RECEIVER: 'caller: send the hotkey of the miner as an ss58 address',
  INVALID_UUID: 'caller: send a new uuid with each request',
  STALE: 'both: synchronize clocks (NTP); a proxy in between may delay or queue requests',
  FROM_FUTURE: 'both: synchronize clocks (NTP)',
  SIGNATURE_MISMATCH: 'caller: sign the exact bytes that are sent; proxies must not change the body',
  REPLAYED: 'caller: sign each request again, including retries',
  BEFORE_START: 'caller: sign again; the request was signed before the miner or its Redis started',
  REPLAY_GUARD_FULL: 'miner: Redis is unreachable, or the replay guard is full',
  STANDING_EXPIRED: 'miner: the chain has been unreachable for too long',
  TOO_MANY_REQUESTS:
    'caller: fewer concurrent requests; miner: `--max-in-flight`, `--max-in-flight-per-signer` (docs/operating.md)',
  NO_DECISION:
    'caller: retry later; miner: the primary process does not answer a worker in time, because it or the machine is overloaded',
  TOO_MANY_FAILURES: 'caller: fix its signatures; miner behind a proxy: `--axon.trusted-proxies`',
  BODY_TOO_LARGE: 'caller: send a smaller body; miner: `--max-body-bytes`',
  BODY_TOO_SLOW: 'caller: send the body faster; miner: `--body-timeout`',
  TOO_MANY_BYTES: 'caller: retry later; the miner is receiving as many bytes as it allows',
  NOT_FOUND: 'caller: use POST /v1/chat/completions, /v1/completions, /models, or GET /models',
  DRAINING: 'nothing to fix: the miner is being stopped or updated',
  BAD_MODEL_LIST: 'caller: send an array of model names',
  BAD_REQUEST_BODY: 'caller: send a JSON object with `model`',
  BODY_TOO_COMPLEX: 'caller: send less nested JSON',
  REQUEST_POLICY:
    'caller: leave out the member that `param` names; miner: `--request-policy` (docs/operating.md)',
  MODEL_MISSING: 'caller: name a `model` of GET /models',
  MODEL_MISMATCH: 'caller: name the same model in header and body, or omit the header',
  UNCLEAR_REQUEST: 'caller: use HTTP/1.1 with one `Host` header and `Transfer-Encoding` `chunked` or none',
  UNREADABLE_REQUEST: 'caller: send valid HTTP/1.1',
  HEADERS_TOO_LARGE: 'caller: send less than 16 KiB of headers',
  HEADERS_TOO_SLOW: 'caller: send headers and body faster; miner: `--header-timeout`, `--body-timeout`',
  INTERNAL: 'miner: see the log event `request-failed`',
  model_not_found: 'caller: use a model of GET /models; miner: no server has this model',
  too_many_connections:
    'caller: retry later; miner: raise the limit on open files (`ulimit -n`, or `LimitNOFILE` in systemd)',
  all_busy:
    'caller: retry later; miner: add servers, or raise `--routing.max-in-flight` or `--routing.queue-length`',
  model_unavailable: 'miner: all servers of this model are down; `targon miner upstreams` shows why',
  no_decision:
    'caller: retry later; miner: the primary process does not answer a worker in time, because it or the machine is overloaded',
  upstream_failed: 'miner: its server failed (502) or did not respond in time (504)',
}

/** Every refusal found in the source of the miner's public port. */
export function collectRefusals(): DocumentedRefusal[] {
  const found = new Map<string, { statuses: Set<string>; text: string }>()
  const add = (code: string, status: string, text: string) => {
    const known = found.get(code) ?? { statuses: new Set(), text }
    known.statuses.add(status)
    found.set(code, known)
  }
  const byName = new RegExp(`([A-Z_]+): \\{ status: (\\d+), detail: ${LITERAL}`, 'g')
  for (const [, code = '', status = '', a, b] of read('epistula/refusal.ts').matchAll(byName))
    add(code, status, a ?? b ?? '')
  const byCode = new RegExp(`code: '([A-Z_]+)',\\s*status: (\\d+),\\s*detail: ${LITERAL}`, 'g')
  for (const [, code = '', status = '', a, b] of read('roles/miner/admission/refusals.ts').matchAll(byCode))
    add(code, status, a ?? b ?? '')
  const [, policy = ''] = /`(The request policy[^`]*)`/.exec(read('routing/request-policy.ts')) ?? []
  const [, code = '', status = ''] =
    /violates\(.*\n\s*return \{ code: '(\w+)', status: (\d+)/.exec(
      read('roles/miner/admission/refusals.ts'),
    ) ?? []
  add(code, status, policy)
  const unavailable = read('routing/unavailable.ts')
  for (const [, status = '', text = '', code = ''] of unavailable.matchAll(
    /status: (\d+),\s*message: '([^']+)',\s*type: '\w+',\s*code: '(\w+)'/g,
  ))
    add(code, status, text)
  const [, message = '', failed = ''] =
    /UPSTREAM_FAILED = \{\s*message: '([^']+)',\s*type: '\w+',\s*code: '(\w+)'/.exec(unavailable) ?? []
  for (const [, status = ''] of unavailable.matchAll(/status: (\d+), \.\.\.UPSTREAM_FAILED/g))
    add(failed, status, message)
  const [, unknown = '', name = ''] =
    /OpenAiError\(response, (\d+), \{\s*message,\s*type: '\w+',\s*code: '(\w+)'/.exec(unavailable) ?? []
  add(name, unknown, 'The model … does not exist.')
  return [...found].map(([code, { statuses, text }]) => ({
    code,
    statuses: [...statuses].sort(),
    text: text.replaceAll(/\$\{[^}]*\}/g, '…'),
  }))
}

/** Codes without a fix, and fixes of codes that no longer exist. */
export function undocumentedRefusals(): string[] {
  const codes = collectRefusals().map(({ code }) => code)
  const fixed = Object.keys(FIXES)
  return [...codes.filter((code) => !fixed.includes(code)), ...fixed.filter((code) => !codes.includes(code))]
}

export function renderRefusals(): string {
  const rows = collectRefusals().map(
    ({ code, statuses, text }) => `| \`${code}\` | ${statuses.join(', ')} | ${text} | ${FIXES[code] ?? ''} |`,
  )
  return `## Refusals of a miner

Responses of the miner's public port to requests it does not serve. Codes in capitals are labels of
\`targon_epistula_rejections_total\` and appear in the debug log; the caller gets \`{"detail": text}\` where 4.4.1 answers that,
otherwise an error in OpenAI's format with the code in small letters, and \`detail\` besides. The last four are codes of that
format. Most 429, 502 and 503 responses have a \`Retry-After\` header.

| code | HTTP | text | who can fix it |
|---|---|---|---|
${rows.join('\n')}
`
}

import { readFileSync } from 'node:fs'

/** How a miner answers a request it does not serve. */
export interface DocumentedRefusal {
  readonly code: string
  readonly statuses: readonly string[]
  readonly text: string
}

const read = (path: string) => readFileSync(new URL(`../../src/${path}`, import.meta.url), 'utf8')

const LITERAL = "(?:'([^']*)'|`([^`]*)`)"

/** Who mends it, and how. */
const MENDED_BY: Readonly<Record<string, string>> = {
  REPEATED_HEADER: 'caller: send each Epistula header once',
  UNKNOWN_VERSION: 'caller: sign with Epistula version 2',
  NOT_FOR_SELF: 'caller: sign for the hotkey of this miner; a balancer in front of two hotkeys does this too',
  UNKNOWN_SIGNER: 'caller: register the hotkey on the subnet; seen within minutes',
  LOW_STAKE: 'caller: more stake; miner: `--min-stake`, `--no-force-validator-permit`',
  INVALID_SIGNATURE: 'caller: its signature is no hex of 64 bytes',
  INVALID_TIMESTAMP: 'caller: 13 digits, milliseconds',
  INVALID_SENDER: 'caller: its own hotkey as ss58',
  INVALID_RECEIVER: 'caller: the hotkey of the miner as ss58',
  INVALID_UUID: 'caller: a uuid for each request',
  STALE: 'both: NTP; what stands between them delays or keeps requests',
  FROM_FUTURE: 'both: NTP',
  SIGNATURE_MISMATCH: 'caller: sign the exact bytes that travel; no proxy may change the body',
  REPLAYED: 'caller: sign each request anew, retries too',
  BEFORE_START: 'caller: sign anew; it was signed before the miner, or its Redis, started',
  REPLAY_GUARD_FULL: 'miner: Redis does not answer, or more requests than can be remembered',
  STANDING_EXPIRED: 'miner: the chain has not been read for too long',
  TOO_MANY_REQUESTS: 'caller: fewer at once; miner: `--max-in-flight`, `--max-in-flight-per-signer`',
  TOO_MANY_FAILURES: 'caller: correct its signatures; miner behind a balancer: `--axon.trusted-proxies`',
  BODY_TOO_LARGE: 'caller: a smaller body; miner: `--max-body-bytes`',
  BODY_TOO_SLOW: 'caller: a faster line; miner: `--body-timeout`',
  TOO_MANY_BYTES: 'caller: later; the miner is reading as many bodies as it may',
  NOT_FOUND: 'caller: POST /v1/chat/completions, /v1/completions, /models, or GET /models',
  DRAINING: 'nobody: the miner is being stopped or updated',
  BAD_MODEL_LIST: 'caller: an array of model names',
  BAD_REQUEST_BODY: 'caller: a JSON object with `model`',
  MODEL_MISMATCH: 'caller: the header as the body, or none',
  UNCLEAR_REQUEST: 'caller: HTTP/1.1, one `Host`, `Transfer-Encoding` `chunked` or none',
  INTERNAL: 'miner: the log has `request failed`',
  model_not_found: 'caller: a model of GET /models; miner: no server has it',
  all_busy: 'caller: later; miner: more servers, `--routing.max-in-flight`, `--routing.queue-length`',
  model_unavailable: 'miner: its servers of this model are down; `targon miner upstreams` says why',
  upstream_failed: 'miner: its server failed (502) or was silent (504)',
}

/** Every refusal in the source of the miner's public port. */
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
  const sources = read('roles/miner/admission/admission.ts') + read('roles/miner/serving/routes.ts')
  for (const [, code = '', status = '', a, b] of sources.matchAll(byCode)) add(code, status, a ?? b ?? '')
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

/** Codes without a word on who mends them, and words on codes that are gone. */
export function undocumentedRefusals(): string[] {
  const codes = collectRefusals().map(({ code }) => code)
  const words = Object.keys(MENDED_BY)
  return [...codes.filter((code) => !words.includes(code)), ...words.filter((word) => !codes.includes(word))]
}

export function renderRefusals(): string {
  const rows = collectRefusals().map(
    ({ code, statuses, text }) =>
      `| \`${code}\` | ${statuses.join(', ')} | ${text} | ${MENDED_BY[code] ?? ''} |`,
  )
  return `## Refusals of a miner

How the miner's public port answers a request it does not serve. Codes in capitals are labels of
\`targon_epistula_rejections_total\` and stand in the debug log; the caller gets \`{"detail": text}\`, as from 4.4.1. The last four
are errors of OpenAI's shape, with their code. Most 429 and 503 say in \`Retry-After\` when to come again.

| code | HTTP | text | who mends it |
|---|---|---|---|
${rows.join('\n')}
`
}

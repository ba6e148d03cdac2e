import { readdirSync, readFileSync } from 'node:fs'
import { EXIT_STATUS } from '../../src/cli/index.js'
import { RAISE_DESCRIPTOR_LIMIT } from '../../src/kernel/index.js'
import { renderRefusals } from './refusals.js'
import { callsOf, endOfBracket, membersOf, splitTop, textsOf } from './source-scan.js'

const source = new URL('../../src/', import.meta.url)

/** An error code found in the source. */
export interface DocumentedError {
  readonly code: string
  /** Several if the code is used with different faults. */
  readonly faults: readonly (keyof typeof EXIT_STATUS)[]
  /** Possible messages; `…` marks variable parts. */
  readonly messages: readonly string[]
  readonly next: readonly string[]
}

const STATUS_MEANINGS: Readonly<Record<string, string>> = {
  ok: 'done',
  runtime:
    'something failed while running; `miner check`: a validator would not verify everything; `query --all`: no miner gave a good answer',
  usage: 'a flag, variable, file or wallet is invalid',
  chain: 'wrong network, hotkey not registered, or no validator permit',
  unreachable:
    'the chain is unreachable or the public IP could not be determined; supervisors should restart',
  upstream: 'a model server, engine or miner is unavailable',
  verification: 'an answer failed verification (`query --verify`)',
  update: 'the update failed; the installed version was kept',
  'hotkey-in-use': 'another process uses this hotkey',
  updateAvailable: '`update --check`: a newer release is available',
  watchdog: 'the watchdog stopped a hung process',
  restartWanted: 'an update was installed; the supervisor should restart the process',
  noRelease: 'the launcher found no release it can start, or Node.js is older than 20.19',
}

/** Messages that are not next to the code in the source. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  USAGE: ['The problem found by the command-line parser.'],
  CONFIG_BAD_VALUE: ['… must be …, got ….'],
}

/** Next steps that are not next to the code in the source. */
const ADVICE: Readonly<Record<string, readonly string[]>> = {
  TOO_MANY_OPEN_FILES: [RAISE_DESCRIPTOR_LIMIT],
  MINER_ANSWER: ['Depends on the HTTP status; or query another miner, see targon query --list.'],
  SELF_UNREACHABLE: [
    'Check that the port is open and that --axon.external_ip and --axon.external_port of the miner are right; after an answer, it depends on the HTTP status.',
  ],
  WALLET_NOT_FOUND: [
    'Create one with: btcli wallet new-hotkey --wallet-hotkey …; or name another by --wallet.path, --wallet.name and --wallet.hotkey.',
    'Correct --wallet.password_file.',
  ],
  CONFIG_BAD_VALUE: ['Did you mean …?', 'Correct the value.'],
}

/** Not a TargonError: what BaseCommand prints for any other error. */
const DEFECT: DocumentedError = {
  code: 'DEFECT',
  faults: ['runtime'],
  messages: ['This is a bug in targon.'],
  next: ['Report it with the stack trace at the URL in the message.'],
}

/** A function that creates an error from its parameters. */
interface Factory {
  readonly file: string
  readonly name: string
  readonly parameters: readonly string[]
}

/** Every code of a TargonError in src, sorted by code. */
export function collectErrors(): DocumentedError[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => ({ path, text: readFileSync(new URL(path, source), 'utf8') }))
  /** What a function of the source can return, if the expression calls one; its own file comes first. */
  const returnedBy = (expression: string, text: string, depth = 0): string[] => {
    const [, name] = /^(\w+)\(/.exec(expression.trim()) ?? []
    if (name === undefined || depth > 2) return []
    const body =
      functionOf(text, name) ?? files.map((file) => functionOf(file.text, name, 'export ')).find(Boolean)
    const returned = [...(body ?? '').matchAll(/\breturn\s+((?:['`]|\w+\()[^\n]*)/g)].map(
      ([, value = '']) => value,
    )
    return returned.flatMap((value) => [...textsOf(value), ...returnedBy(value, body ?? '', depth + 1)])
  }
  const found = new Map<
    string,
    { faults: Set<keyof typeof EXIT_STATUS>; messages: Set<string>; next: Set<string> }
  >()
  const add = (code: string, fault: string, message: string, next: string, text: string) => {
    if (!/^[A-Z][A-Z0-9_]+$/.test(code) || !isFault(fault)) return
    const known = found.get(code) ?? { faults: new Set(), messages: new Set(), next: new Set() }
    known.faults.add(fault)
    for (const possible of MESSAGES[code] ?? textsOf(message)) known.messages.add(possible)
    for (const advice of ADVICE[code] ?? [...textsOf(next), ...returnedBy(next, text)]) known.next.add(advice)
    found.set(code, known)
  }
  for (const { path, text } of files) {
    for (const { at, args } of callsOf(text, ['TargonError', 'super', 'EngineError'])) {
      const members = membersOf(args[1] ?? '')
      const written = ['code', 'fault', 'next'].map((name) => members.get(name) ?? '')
      const [code = '', fault = '', next = ''] = written
      if (code === '') continue
      const all = [code, fault, args[0] ?? '', next].map((expression) => constantOf(text, expression))
      const factory = enclosingFunction(path, text, at)
      const isFactory = factory !== undefined && all.some((word) => factory.parameters.includes(word))
      if (!isFactory) add(unquoted(all[0]), unquoted(all[1]), all[2] ?? '', all[3] ?? '', text)
      else {
        for (const other of files) {
          const isVisible =
            other.path === path || new RegExp(`import [^;]*?\\b${factory.name}\\b`).test(other.text)
          if (!isVisible) continue
          for (const call of callsOf(other.text, [factory.name])) {
            const given = all.map((word) => {
              const index = factory.parameters.indexOf(word)
              return index === -1 ? word : constantOf(other.text, call.args[index] ?? '')
            })
            const made = unquoted(given[0])
            add(made, unquoted(given[1]), given[2] ?? '', memberOf(text, given[3] ?? '', made), other.text)
          }
        }
      }
    }
  }
  const errors = [...found].map(([code, { faults, messages, next }]) => ({
    code,
    faults: [...faults],
    messages: [...messages],
    next: [...next],
  }))
  return [...errors, DEFECT].sort((a, b) => a.code.localeCompare(b.code))
}

/** The function around a position, and its parameters. */
function enclosingFunction(file: string, text: string, at: number): Factory | undefined {
  const heads = [...text.slice(0, at).matchAll(/(?:function (\w+)|const (\w+) = (?:async )?)\(/g)]
  const head = heads.at(-1)
  if (!head) return undefined
  const open = head.index + head[0].length - 1
  const parameters = splitTop(text.slice(open + 1, endOfBracket(text, open) - 1), ',')
  const names = parameters.map((parameter) => /^\w+/.exec(parameter)?.[0] ?? '')
  return { file, name: head[1] ?? head[2] ?? '', parameters: names }
}

/** The text of a function on the top level of a file. */
function functionOf(text: string, name: string, before: 'export ' | '(?:export )?' = '(?:export )?') {
  return new RegExp(`^${before}function ${name}\\([\\s\\S]*?^}`, 'm').exec(text)?.[0]
}

/** The value of a constant of the file; other expressions are returned unchanged. */
function constantOf(text: string, expression: string): string {
  if (!/^[A-Za-z]\w*$/.test(expression)) return expression
  return (
    new RegExp(`\\bconst ${expression}(?:: string)? =\\s*([^\\n]+(?:\\n\\s+[^\\n]+)*)`).exec(text)?.[1] ??
    expression
  )
}

/** The entry of `TABLE[code]`; other expressions are returned unchanged. */
function memberOf(text: string, expression: string, code: string): string {
  if (!/^\w+\[code\]$/.test(expression)) return expression
  return new RegExp(`\\b${code}:\\s*('[^']*')`).exec(text)?.[1] ?? ''
}

function unquoted(word = ''): string {
  return word.replaceAll("'", '')
}

/** docs/errors.md */
export function renderErrors(): string {
  const statuses = Object.entries(EXIT_STATUS).map(
    ([name, status]) => `| ${status} | ${STATUS_MEANINGS[name] ?? ''} |`,
  )
  const rows = collectErrors().map(
    ({ code, faults, messages, next }) =>
      `| \`${code}\` | ${statusesOf(faults)} | ${cell(messages)} | ${cell(next)} |`,
  )
  return `# Errors and exit statuses

An error is one line on standard error, \`Error [CODE]: message. Next step.\`, or with \`--json\` one document
\`{"error": {"code", "message", "next", "facts", "exitStatus"}}\` on standard output (\`next\` only if there is one). Codes and
exit statuses are stable. \`…\` marks variable parts.

Generated by \`npm run docs\` from the source.

## Exit statuses

| status | meaning |
|---|---|
${statuses.join('\n')}
| 9 | Node.js did not find the file of \`--env-file\`; Node.js itself prints the message |
| 127 | \`/usr/bin/env\` did not find \`node\`; the status of the shell |
| 130, 143 | stopped immediately by a second SIGINT or SIGTERM; the first one drains and exits with 0 |

Supervisors should not restart after 2, 3, 7 and 78.

## Codes

| code | status | message | what to do |
|---|---|---|---|
${rows.join('\n')}

${renderRefusals()}`
}

function statusesOf(faults: DocumentedError['faults']): string {
  const statuses = faults.map((fault) => EXIT_STATUS[fault])
  return statuses.sort((a, b) => a - b).join(', ')
}

function isFault(word: string): word is keyof typeof EXIT_STATUS {
  return Object.hasOwn(EXIT_STATUS, word)
}

function cell(texts: readonly string[]): string {
  return texts
    .map((text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll(/\s+/g, ' ').trim())
    .join('<br>')
}

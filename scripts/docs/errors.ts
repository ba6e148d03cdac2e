import { readdirSync, readFileSync } from 'node:fs'
import { EXIT_STATUS } from '../../src/cli/index.js'
import { renderRefusals } from './refusals.js'
import { callsOf, endOfBracket, membersOf, splitTop, textsOf } from './source-scan.js'

const source = new URL('../../src/', import.meta.url)

/** One code as the source uses it. */
export interface DocumentedError {
  readonly code: string
  /** Which of them depends on what went wrong, where there are several. */
  readonly faults: readonly (keyof typeof EXIT_STATUS)[]
  /** What it may say, `…` for what varies. */
  readonly messages: readonly string[]
  readonly next: readonly string[]
}

const STATUS_MEANINGS: Readonly<Record<string, string>> = {
  ok: 'done',
  runtime: 'something failed while running',
  usage: 'a flag, variable, file or wallet is wrong',
  chain: 'another network, hotkey not registered, or no permit',
  unreachable: 'the chain, or the look-up of the own address, does not answer; supervisors start again',
  upstream: 'a model server, engine or miner is unavailable',
  verification: 'an answer did not verify (`query --verify`)',
  update: 'the update failed and the old version was kept',
  'hotkey-in-use': 'another process uses this hotkey',
  updateAvailable: '`update --check`: a newer release is available',
  watchdog: 'the watchdog ended a process that hung',
  restartWanted: 'an update was applied, the supervisor shall start the process again',
  noRelease: 'no release can start (launcher)',
}

/** Messages that are not written where the code is. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  USAGE: ['What the parser of the command line refused.'],
  CONFIG_BAD_VALUE: ['… must be …, got ….'],
}

/** Advice that is not written where the code is. */
const ADVICE: Readonly<Record<string, readonly string[]>> = {
  MINER_ANSWER: ['What the status means for the caller; or ask another miner, see targon query --list.'],
  WALLET_NOT_FOUND: [
    'Create one with: btcli wallet new-hotkey --wallet.name … --wallet.hotkey …; or name another by --wallet.path, --wallet.name and --wallet.hotkey.',
    'Correct --wallet.password_file.',
  ],
  CONFIG_BAD_VALUE: ['Did you mean …?', 'Correct the value.'],
}

/** No TargonError: what BaseCommand says of anything else that is thrown. */
const DEFECT: DocumentedError = {
  code: 'DEFECT',
  faults: ['runtime'],
  messages: ['This is a defect of targon.'],
  next: ['Report it with the stack that follows, at the address the message names.'],
}

interface Maker {
  readonly file: string
  readonly name: string
  readonly parameters: readonly string[]
}

/** Every code of a TargonError in src, by its name. */
export function collectErrors(): DocumentedError[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => ({ path, text: readFileSync(new URL(path, source), 'utf8') }))
  const found = new Map<
    string,
    { faults: Set<keyof typeof EXIT_STATUS>; messages: Set<string>; next: Set<string> }
  >()
  const add = (code: string, fault: string, message: string, next: string) => {
    if (!/^[A-Z][A-Z0-9_]+$/.test(code) || !isFault(fault)) return
    const known = found.get(code) ?? { faults: new Set(), messages: new Set(), next: new Set() }
    known.faults.add(fault)
    for (const text of MESSAGES[code] ?? textsOf(message)) known.messages.add(text)
    for (const text of ADVICE[code] ?? textsOf(next)) known.next.add(text)
    found.set(code, known)
  }
  for (const { path, text } of files) {
    for (const { at, args } of callsOf(text, ['TargonError', 'super', 'EngineError'])) {
      const members = membersOf(args[1] ?? '')
      const written = ['code', 'fault', 'next'].map((name) => members.get(name) ?? '')
      const [code = '', fault = '', next = ''] = written
      if (code === '') continue
      const all = [code, fault, args[0] ?? '', next].map((expression) => constantOf(text, expression))
      const maker = makerAround(path, text, at)
      const isMade = maker !== undefined && all.some((word) => maker.parameters.includes(word))
      if (!isMade) add(unquoted(all[0]), unquoted(all[1]), all[2] ?? '', all[3] ?? '')
      else {
        for (const other of files) {
          const isVisible =
            other.path === path || new RegExp(`import [^;]*?\\b${maker.name}\\b`).test(other.text)
          if (!isVisible) continue
          for (const call of callsOf(other.text, [maker.name])) {
            const given = all.map((word) => {
              const index = maker.parameters.indexOf(word)
              return index === -1 ? word : constantOf(other.text, call.args[index] ?? '')
            })
            const made = unquoted(given[0])
            add(made, unquoted(given[1]), given[2] ?? '', memberOf(text, given[3] ?? '', made))
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

/** The function a place lies in, and its parameters. */
function makerAround(file: string, text: string, at: number): Maker | undefined {
  const heads = [...text.slice(0, at).matchAll(/(?:function (\w+)|const (\w+) = (?:async )?)\(/g)]
  const head = heads.at(-1)
  if (!head) return undefined
  const open = head.index + head[0].length - 1
  const parameters = splitTop(text.slice(open + 1, endOfBracket(text, open) - 1), ',')
  const names = parameters.map((parameter) => /^\w+/.exec(parameter)?.[0] ?? '')
  return { file, name: head[1] ?? head[2] ?? '', parameters: names }
}

/** A constant of the file instead of its name. */
function constantOf(text: string, expression: string): string {
  if (!/^[A-Za-z]\w*$/.test(expression)) return expression
  return (
    new RegExp(`\\bconst ${expression}(?:: string)? =\\s*([^\\n]+(?:\\n\\s+[^\\n]+)*)`).exec(text)?.[1] ??
    expression
  )
}

/** `TABLE[code]` as what the table of the file says of that code. */
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

An error is one line on standard error, \`Error [CODE]: what and why. What to do.\`, or with \`--json\` one document
\`{"error": {"code", "message", "next", "facts", "exitStatus"}}\` on standard output. Codes and statuses are stable.
\`…\` stands for what varies.

Generated by \`npm run docs\` from the source.

## Exit statuses

| status | meaning |
|---|---|
${statuses.join('\n')}
| 9 | Node found no file of \`--env-file\`: its own status and words, before a line of ours runs |
| 127 | \`/usr/bin/env\` of the unit found no \`node\`: the shell's status, not ours |
| 130, 143 | ended at once by a second SIGINT or SIGTERM; the first one drains and ends with 0 |

Supervisors should not restart on 2, 3, 7 and 78.

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

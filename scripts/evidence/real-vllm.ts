import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Keeps the figures that `npm run gauntlet:vllm` has left in bench/results/vllm, and writes their tables into docs/evidence.md. */

interface Reached {
  readonly answers: number
  readonly tokens: number
}

interface Finding {
  readonly suspicion?: Reached
  readonly alarm?: Reached & { readonly statistic: string }
}

interface Result {
  readonly name: string
  readonly answers: number
  readonly tokens: number
  readonly verdicts: Readonly<Record<string, number>>
  /** Absent where none is raw. */
  readonly claimed?: { readonly median: number; readonly mean: number }
  /** By all statistics, by each alone, and without the stated log probabilities. */
  readonly evidence: {
    readonly all: Finding
    readonly rescored: Finding
    readonly alone: Readonly<Record<string, Finding>>
  }
  /** Of the V2 runner. */
  readonly seeded?: { readonly tokens: number; readonly mismatches: number }
}

const kept = new URL('real-vllm.json', import.meta.url)
const fresh = new URL('../../bench/results/vllm/', import.meta.url)
const page = new URL('../../docs/evidence.md', import.meta.url)

const results = new Map<string, Result>()
if (existsSync(kept)) for (const result of readJson<Result[]>(kept)) results.set(result.name, result)
if (existsSync(fresh))
  for (const file of readdirSync(fresh)) {
    const result = readJson<Result>(new URL(file, fresh))
    results.set(result.name, result)
  }
const sorted = [...results.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
writeFileSync(kept, `${JSON.stringify(sorted, null, 2)}\n`)

const tables = { 'vllm-evidence': evidenceTable(), 'vllm-seeded': seededTable() }
const text = Object.entries(tables).reduce(
  (whole, [name, rows]) =>
    whole.replace(
      new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- ${name} stop -->)`),
      (_, start: string, stop: string) => `${start}${rows}\n${stop}`,
    ),
  readFileSync(page, 'utf8'),
)
writeFileSync(page, text)

function evidenceTable(): string {
  const head = ['server', 'answers, tokens', 'strict', 'difference, median and mean', 'suspicion', 'alarm']
  const rows = sorted.map(({ name, answers, tokens, verdicts, claimed, evidence }) => {
    const { all, rescored, alone } = evidence
    const by = Object.entries(alone).flatMap(([statistic, one]) => (one.suspicion ? [statistic] : []))
    const difference = claimed ? `${claimed.median.toFixed(3)}, ${claimed.mean.toFixed(3)} nats` : ''
    return [
      ...[name, `${count(answers)}, ${count(tokens)}`, describeVerdicts(verdicts), difference],
      ...[reached(all.suspicion), reached(all.alarm), by.join(', '), reached(rescored.suspicion)],
    ]
  })
  return table([...head, 'suspicion by each alone', 'suspicion, rescored'], rows)
}

function seededTable(): string {
  const rows = sorted.flatMap(({ name, answers, seeded }) => {
    if (!seeded) return []
    const { tokens, mismatches } = seeded
    const share = (100 * mismatches) / Math.max(1, tokens)
    return [[name, String(answers), `${tokens - mismatches} of ${tokens}`, `${share.toFixed(2)} %`]]
  })
  return table(['server', 'answers', 'tokens that the seed says', 'differ'], rows)
}

function readJson<T>(url: URL): T {
  return JSON.parse(readFileSync(url, 'utf8')) as T
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}

function reached(at: Reached | undefined): string {
  return at ? `${count(at.answers)} answers, ${count(at.tokens)} tokens` : 'none'
}

function describeVerdicts(verdicts: Readonly<Record<string, number>>): string {
  return Object.entries(verdicts)
    .map(([name, number]) => `${number} ${name}`)
    .join(', ')
}

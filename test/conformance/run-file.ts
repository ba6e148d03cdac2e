import type { Case, Checker, DataFile } from './checker.js'

export interface FileReport {
  readonly name: string
  readonly ran: number
  readonly agreed: number
  readonly explained: number
  /** Rule → cases it explained. */
  readonly rules: ReadonlyMap<string, number>
  readonly differing: readonly string[]
  /** Cases of a file no checker knows; 1 when the file has no cases to count. */
  readonly uncovered: number
  /** The file itself is unusable, or its checker knows it but finds nothing in it. */
  readonly problem?: string
}

/** Runs all cases of one file. A checker that throws, or names a rule it has not declared, makes the case differ. */
export async function runFile(file: DataFile, checkers: readonly Checker[]): Promise<FileReport> {
  const rules = new Map<string, number>()
  const differing: string[] = []
  const nothing = { name: file.name, ran: 0, agreed: 0, explained: 0, rules, differing, uncovered: 0 }
  const found = findCases(file, checkers)
  if (!found.checker) return { ...nothing, uncovered: found.cases?.length ?? 1 }
  if (found.cases === undefined || found.cases.length === 0) {
    return { ...nothing, problem: `no cases in a file of kind ${found.checker.vectors}` }
  }
  let agreed = 0
  for (const [index, testCase] of found.cases.entries()) {
    const label = `${testCase?.id ?? `#${index}`} ${testCase?.scenario ?? testCase?.outcome ?? ''}`.trim()
    try {
      const finding = await found.checker.check(testCase, file.json)
      if (finding.agrees) agreed++
      else if (finding.explainedBy === undefined) differing.push(`${label}: ${finding.detail ?? 'no detail'}`)
      else if (!Object.hasOwn(found.checker.rules, finding.explainedBy)) {
        differing.push(`${label}: undeclared rule ${finding.explainedBy}`)
      } else rules.set(finding.explainedBy, (rules.get(finding.explainedBy) ?? 0) + 1)
    } catch (error) {
      differing.push(`${label}: threw ${error instanceof Error ? error.stack : String(error)}`)
    }
  }
  const explained = [...rules.values()].reduce((total, count) => total + count, 0)
  return { ...nothing, ran: found.cases.length, agreed, explained }
}

/** By the name in the envelope; data without one by asking each checker whether it knows the shape. */
function findCases(
  file: DataFile,
  checkers: readonly Checker[],
): { checker?: Checker; cases?: readonly Case[] } {
  const envelope: Case = file.json
  if (typeof envelope?.vectors === 'string') {
    const checker = checkers.find((candidate) => candidate.vectors === envelope.vectors)
    const cases = Array.isArray(envelope.cases) ? (envelope.cases as Case[]) : undefined
    return { ...(checker && { checker }), ...(cases && { cases }) }
  }
  for (const checker of checkers) {
    const cases = checker.cases?.(file)
    if (cases) return { checker, cases }
  }
  return {}
}

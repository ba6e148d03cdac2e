import type { Case, Checker, DataFile } from './checker.js'

export interface FileReport {
  readonly name: string
  readonly ran: number
  readonly agreed: number
  readonly explained: number
  /** Rule name → number of cases it explained. */
  readonly rules: ReadonlyMap<string, number>
  readonly differing: readonly string[]
  /** Number of cases in a file that no checker knows; 1 if they cannot be counted. */
  readonly uncovered: number
  /** Set if a checker knows the file but finds no cases in it. */
  readonly problem?: string
}

/** Runs all cases of a file. A case differs if its checker throws or names an undeclared rule. */
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

/** Finds the checker by the name in the envelope, or, without an envelope, the one that recognises the shape. */
function findCases(
  file: DataFile,
  checkers: readonly Checker[],
): { checker?: Checker; cases?: readonly Case[] } {
  const envelope: Case = file.json
  if (typeof envelope?.vectors === 'string') {
    const checker = checkers.find((candidate) => candidate.vectors === envelope.vectors)
    const cases = Array.isArray(envelope.cases) ? (envelope.cases as Case[]) : checker?.cases?.(file)
    return { ...(checker && { checker }), ...(cases && { cases }) }
  }
  for (const checker of checkers) {
    const cases = checker.cases?.(file)
    if (cases) return { checker, cases }
  }
  return {}
}

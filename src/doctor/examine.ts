import { messageOf, TargonError, withDeadline } from '../kernel/index.js'
import type { Check, MachineContext } from './context.js'
import { type Finding, fail, type Seen } from './finding.js'

const DEADLINE_MS = 30_000

/**
 * Runs all checks side by side, each with its deadline.
 *
 * @param onFindings called once per check, in the order of the checks, as soon as those before it have ended
 * @returns all findings in that order
 * @throws the reason of the signal when it aborts
 */
export async function examine<C extends MachineContext>(
  checks: readonly Check<C>[],
  context: C,
  onFindings: (findings: readonly Finding[]) => void = () => {},
): Promise<readonly Finding[]> {
  const running = checks.map(async (check) => {
    const seen = await runCheck(check, context)
    return seen.map((one): Finding => ({ check: check.id, ...one }))
  })
  // One that rejects while another is awaited is not unhandled.
  for (const one of running) one.catch(() => {})
  const all: Finding[] = []
  for (const one of running) {
    const findings = await one
    all.push(...findings)
    onFindings(findings)
  }
  return all
}

async function runCheck<C extends MachineContext>(check: Check<C>, context: C): Promise<readonly Seen[]> {
  const { clock, signal } = context
  const { title, deadlineMs = DEADLINE_MS } = check
  try {
    return await withDeadline(clock, title, deadlineMs, signal, (own) => check.run(context, own))
  } catch (error) {
    signal.throwIfAborted()
    return [failure(error)]
  }
}

/** What an error says, as a finding. */
export function failure(error: unknown): Seen {
  const next = error instanceof TargonError ? error.next : undefined
  return fail(messageOf(error), next ?? 'Run with --logging.debug to see more.')
}

/** Whether nothing has to be mended. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ state }) => state !== 'fail')
}

import { escapeControls } from '../kernel/index.js'
import type { Finding } from './finding.js'

const STATE_WIDTH = 4
const CHECK_WIDTH = 12

/** A finding as text: state, check, what it saw; what to do stands on a line of its own. */
export function writeFinding({ check, state, saw, next }: Finding): string {
  const head = `${state.padEnd(STATE_WIDTH)}  ${check.padEnd(CHECK_WIDTH)}  ${escapeControls(saw)}`
  return next === undefined ? head : `${head}\n${' '.repeat(STATE_WIDTH + 2)}→ ${escapeControls(next)}`
}

/** The last line: how many findings of each kind there are. */
export function summarize(findings: readonly Finding[]): string {
  const count = (state: Finding['state']) => findings.filter((one) => one.state === state).length
  const [failed, warned, skipped] = [count('fail'), count('warn'), count('skip')]
  const rest = skipped === 0 ? '' : ` ${skipped} not checked.`
  if (failed > 0) return `${failed} to mend, ${warned} to look at.${rest}`
  return warned > 0 ? `Nothing to mend, ${warned} to look at.${rest}` : `Nothing to mend.${rest}`
}

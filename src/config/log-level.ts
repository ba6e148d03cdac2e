import { describeOrigin, type Origin, rankOf } from './origin.js'

/** The switches of the Python SDK, most verbose first, and the level that each chooses. */
const SWITCHES = [
  { name: 'logging.trace', chooses: true, level: 'trace' },
  { name: 'logging.debug', chooses: true, level: 'debug' },
  { name: 'logging.info', chooses: false, level: 'warn' },
] as const

/**
 * Makes `logging.level` the level in effect, with the origin of what chose it: the level itself, or one of the switches. The
 * stronger source wins; within one source the level. What loses is told in a warning.
 */
export function settleLogLevel(
  values: Record<string, unknown>,
  origins: Record<string, Origin>,
  warnings: string[],
): void {
  const level = origins['logging.level']
  const chosen = SWITCHES.find(({ name, chooses }) => origins[name] && values[name] === chooses)
  const origin = chosen && origins[chosen.name]
  if (!level || !chosen || !origin) return
  const isLevelStronger = level.kind !== 'default' && rankOf(level) <= rankOf(origin)
  const [winner, loser] = isLevelStronger ? [level, origin] : [origin, level]
  if (loser.kind !== 'default')
    warnings.push(`${describeOrigin(loser)} is ignored: ${describeOrigin(winner)} chose the log level.`)
  if (isLevelStronger) return
  values['logging.level'] = chosen.level
  origins['logging.level'] = origin
}

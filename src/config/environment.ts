import { type SettingName, settings } from './settings/index.js'
import { OTHER_VARIABLES, readingsOf } from './variables.js'

/**
 * The environment for child processes that get their settings as flags: everything except the variables that
 * settings are read from.
 */
export function inheritableEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const ours = new Set<string>(OTHER_VARIABLES)
  for (const name of Object.keys(settings) as SettingName[])
    for (const { variable } of readingsOf(name)) ours.add(variable)
  return Object.fromEntries(
    Object.entries(env).filter(
      (pair): pair is [string, string] =>
        pair[1] !== undefined && !ours.has(pair[0]) && !/^(TARGON|BT)_/.test(pair[0]),
    ),
  )
}

/** The variables in which btcli stores passwords of key files (`BT_PW_…`). */
export function passwordVariables(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('BT_PW_')))
}

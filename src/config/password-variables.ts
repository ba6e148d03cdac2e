/** The variables in which btcli stores passwords of key files (`BT_PW_…`). */
export function passwordVariables(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('BT_PW_')))
}

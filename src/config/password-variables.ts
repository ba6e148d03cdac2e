/** The variables btcli keeps passwords of key files in (`BT_PW_…`), for wallet/. */
export function passwordVariables(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('BT_PW_')))
}

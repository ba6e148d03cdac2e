import { TargonError } from '../kernel/index.js'

/** Every refusal of the wallet is the operator's to mend, hence fault `usage`. */
export function walletError(
  code: string,
  message: string,
  next: string,
  facts: Readonly<Record<string, unknown>> = {},
  options?: ErrorOptions,
): TargonError {
  return new TargonError(message, { code, fault: 'usage', next, facts }, options)
}

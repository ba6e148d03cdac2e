import { TargonError } from '../kernel/index.js'

/** Wallet errors are for the operator to fix, hence fault `usage`. */
export function walletError(
  code: string,
  message: string,
  next: string,
  facts: Readonly<Record<string, unknown>> = {},
  options?: ErrorOptions,
): TargonError {
  return new TargonError(message, { code, fault: 'usage', next, facts }, options)
}

import { TargonError } from '../kernel/index.js'

/** A bundle that cannot be trusted; exit status of failed verifications. */
export function bundleError(
  code: 'BUNDLE_INVALID' | 'BUNDLE_SIGNATURE' | 'BUNDLE_REPLAY',
  message: string,
  next: string,
) {
  return new TargonError(message, { code, fault: 'verification', next })
}

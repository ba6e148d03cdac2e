/** API keys of the hub: their limits, what running requests have reserved, and what was used. */
export type {
  Accounts,
  ApiKey,
  KeyLimits,
  LimitReason,
  Refusal,
  Reservation,
  Use,
} from './types.js'

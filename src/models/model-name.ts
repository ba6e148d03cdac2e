/** Strict, because names end up in requests, log lines, container labels and paths (SECURITY.md T-V14). */
const MODEL_NAME = /^[A-Za-z0-9][\w.-]{0,95}(?:\/[A-Za-z0-9][\w.-]{0,95})?$/

/** Maximum number of models in a list. */
export const MODEL_LIMIT = 64

export function isModelName(value: string): boolean {
  return MODEL_NAME.test(value) && !value.includes('..')
}

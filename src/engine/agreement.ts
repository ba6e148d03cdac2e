import type { ModelFacts } from './types.js'

/**
 * Why a server may not answer beside the others of its model: a verdict is reached with one set of facts, whichever
 * replica scored. Smaller limits would refuse requests the others take; larger ones do no harm.
 *
 * @returns undefined when it fits.
 */
export function explainMismatch(own: ModelFacts, others: ModelFacts): string | undefined {
  const logprobs = ({ scaledLogprobs }: ModelFacts) => (scaledLogprobs ? 'temperature-scaled' : 'raw')
  if (own.dialect !== others.dialect)
    return `it speaks the dialect ${own.dialect}, the others ${others.dialect}`
  if (own.scaledLogprobs !== others.scaledLogprobs)
    return `its logprobs are ${logprobs(own)}, those of the others ${logprobs(others)}`
  if (own.endOfTurnId !== others.endOfTurnId || own.endpoints.length !== others.endpoints.length)
    return 'its tokenizer or chat template is another one'
  if (own.maxLogprobs < others.maxLogprobs)
    return `it answers ${own.maxLogprobs} logprobs, the others ${others.maxLogprobs}`
  const [length, needed] = [own.maxModelLength, others.maxModelLength]
  if (length !== undefined && needed !== undefined && length < needed)
    return `it takes ${length} tokens, the others ${needed}`
  return undefined
}

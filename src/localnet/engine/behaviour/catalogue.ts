import { DEVELOPMENT_MODELS, loadModel } from '../language/index.js'
import type { Behaviour } from './behaviour.js'
import * as bytes from './hostile-bytes.js'
import * as lengths from './untrue-lengths.js'
import * as tokens from './untrue-tokens.js'

/** How far off the logits of `quantised` are: about half of the tokens are then no longer the likeliest. */
const QUANTISATION_NATS = 4

const CATALOGUE = {
  honest: { summary: 'answers truly' },
  'other-model': {
    summary: 'answers with another model under the claimed name',
    chooseModel: ({ name }) => loadModel(DEVELOPMENT_MODELS.find((other) => other !== name) ?? name),
  },
  'made-up-logprobs': { summary: 'real text, invented logprobs', changeSteps: tokens.inventLogprobs },
  'empty-padding': {
    summary: 'a few real tokens, then tokens without text up to max_tokens, at no cost',
    changeSteps: lengths.padWithEmptyText,
  },
  'generate-first': {
    summary: 'generates the whole answer first, then sends it in a burst',
    delivery: 'burst',
  },
  slow: { summary: 'honest at five tokens a second', tokensPerSecond: 5 },
  quantised: {
    summary: 'the claimed model with coarse weights: its logits are off',
    chooseModel: (claimed) => claimed.withNoise(QUANTISATION_NATS),
  },
  replay: {
    summary: 'twenty real tokens, then the rest of an answer to another prompt',
    produce: tokens.replayOther,
  },
  'early-end': { summary: 'stops in the middle and calls it the end', changeSteps: lengths.endEarly },
  'skips-eos': { summary: 'goes on where the text ends', changeJob: lengths.refuseToEnd },
  'ignores-temperature': {
    summary: 'always takes the likeliest token, whatever the temperature',
    changeJob: tokens.sampleGreedily,
  },
  'absurd-logprobs': { summary: 'logprob -100 for every token', changeSteps: tokens.claimLogprob(-100) },
  'positive-logprobs': { summary: 'logprob +5 for every token', changeSteps: tokens.claimLogprob(5) },
  'unreadable-logprobs': {
    summary: 'logprobs of NaN, Infinity and 1000 in turn',
    changeSteps: tokens.sendUnreadableLogprobs,
    sendsStrangeNumbers: true,
  },
  'zero-logprobs': { summary: 'logprob 0 for every token', changeSteps: tokens.claimLogprob(0) },
  'no-logprobs': { summary: 'sends no logprobs and no ids', changeJob: tokens.omitLogprobs },
  'wrong-ids': { summary: 'the right text under wrong ids', changeSteps: tokens.shiftIds },
  'garbage-text': { summary: 'the right ids with other text', changeSteps: tokens.garbleText },
  'double-tokens': { summary: 'sends each token twice', changeSteps: lengths.sendTwice },
  'multi-token-chunks': { summary: 'honest, four tokens in each chunk', tokensPerChunk: 4 },
  'too-long': { summary: 'sixteen tokens more than max_tokens', changeJob: lengths.askForMore },
  'too-short': { summary: 'two tokens and the end', changeSteps: lengths.endAtOnce },
  'empty-answer': { summary: 'the end of the stream at once', changeSteps: lengths.sendNothing },
  stall: { summary: 'silent for eight seconds in the middle', changeSteps: lengths.stallInTheMiddle },
  drip: { summary: 'a token every 4.9 seconds, without end', changeSteps: lengths.dripForEver },
  'endless-line': {
    summary: 'five tokens, then a line that never ends',
    trick: { afterEvents: 5, chunks: bytes.endlessLine },
  },
  'huge-event': {
    summary: 'five tokens, then an event of eight megabytes',
    trick: { afterEvents: 5, chunks: bytes.hugeEvent },
  },
  'event-flood': {
    summary: 'five tokens, then a million events with nothing in them',
    trick: { afterEvents: 5, chunks: bytes.eventFlood },
  },
  'token-flood': {
    summary: 'five tokens, then events that claim fifteen thousand tokens each',
    trick: { afterEvents: 5, chunks: bytes.tokenFlood },
  },
  malformed: {
    summary: 'every fifth event is broken JSON, an empty list, null, a string or no UTF-8',
    changeEvent: bytes.malformEvent,
  },
  'crash-ids': {
    summary: 'ids outside every vocabulary, half surrogates, a logprob of 1000',
    changeSteps: tokens.sendCrashInputs,
  },
  'http-500': { summary: 'refuses with 500', respond: bytes.refuseWith(500) },
  'http-429': { summary: 'refuses with 429', respond: bytes.refuseWith(429) },
  'http-404': { summary: 'refuses with 404', respond: bytes.refuseWith(404) },
  refuse: { summary: 'resets the connection before a byte is sent', respond: bytes.resetConnection },
  reset: { summary: 'resets the connection after ten events', trick: { afterEvents: 10, isReset: true } },
  silent: { summary: 'accepts the request and never answers', respond: bytes.neverAnswer },
  redirect: { summary: 'redirects to an address inside', respond: bytes.redirectInside },
  'gzip-bomb': { summary: 'a small body that grows to 256 megabytes', respond: bytes.sendGzipBomb },
} as const satisfies Record<string, Behaviour>

export type BehaviourName = keyof typeof CATALOGUE

/** Every behaviour an engine can have: `honest` and the cheats. */
export const BEHAVIOURS = Object.keys(CATALOGUE) as readonly BehaviourName[]

export function behaviourOf(name: BehaviourName): Behaviour {
  return CATALOGUE[name]
}

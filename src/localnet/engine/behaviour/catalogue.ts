import { DEVELOPMENT_MODELS, type LanguageModel, loadModel } from '../language/index.js'
import type { Behaviour } from './behaviour.js'
import { behaviourOfCheat } from './cheat.js'
import * as bytes from './hostile-bytes.js'
import * as lengths from './untrue-lengths.js'
import * as tokens from './untrue-tokens.js'

/** Noise in the logits of `quantised`; with it, about half of the tokens are no longer the most likely ones. */
const QUANTISATION_NATS = 4

/** Noise in the logits of `int4`, in nats: 4-bit weights are off by 0.2 to 0.7. */
const INT4 = { logitNoise: 0.3 } as const

/** Tokens. Those of a validator have a persona and a question, and from 29 tokens on. */
const SHORT_PROMPT = 28

const otherModel = ({ name }: LanguageModel) =>
  loadModel(DEVELOPMENT_MODELS.find((other) => other !== name) ?? name)

const CATALOGUE = {
  honest: { summary: 'answers correctly' },
  'other-model': {
    summary: 'answers with another model under the requested name',
    chooseModel: otherModel,
  },
  'made-up-logprobs': { summary: 'real text, invented logprobs', changeSteps: tokens.inventLogprobs },
  'empty-padding': {
    summary: 'a few real tokens, then tokens with empty text up to max_tokens, sent without delay',
    changeSteps: lengths.padWithEmptyText,
  },
  'generate-first': {
    summary: 'generates the whole answer first, then sends it in one burst',
    delivery: 'burst',
  },
  slow: { summary: 'honest, at five tokens per second', tokensPerSecond: 5 },
  quantised: {
    summary: 'the requested model with coarse weights, so its logits are off',
    chooseModel: (claimed) => claimed.vary({ weightNoise: QUANTISATION_NATS }),
  },
  int4: {
    summary: 'the requested model as 4-bit weights compute it: logits off by 0.3 nats (standard deviation)',
    ...behaviourOfCheat(INT4),
  },
  rescored: {
    summary: 'as `int4`, with the logprobs that the requested model gives the tokens',
    ...behaviourOfCheat({ ...INT4, rescores: true }),
  },
  cooler: {
    summary: 'samples at three quarters of the temperature asked for',
    ...behaviourOfCheat({ temperatureFactor: 0.75 }),
  },
  'no-system-prompt': {
    summary: 'leaves out the system prompt',
    ...behaviourOfCheat({ dropsSystemPrompt: true }),
  },
  'truncated-prompt': {
    summary: 'reads only the last 32 tokens of the prompt',
    ...behaviourOfCheat({ promptTokens: 32 }),
  },
  draft: {
    summary: 'accepts the tokens of a cheaper model wherever the requested one gives them 5 % or more',
    ...behaviourOfCheat({ draft: { logitNoise: 1, leastProbability: 0.05 } }),
  },
  'one-in-ten': {
    summary: 'as `int4` in one of ten answers, honest in the others',
    ...behaviourOfCheat({ ...INT4, share: 0.1 }),
  },
  turncoat: {
    summary: 'honest for a hundred answers, then as `int4`',
    ...behaviourOfCheat({ ...INT4, fromAnswer: 101 }),
  },
  'two-faced': {
    summary: 'as `other-model` for short prompts, which only users send; honest to validators',
    occasion: { belowPromptTokens: SHORT_PROMPT },
    chooseModel: otherModel,
  },
  replay: {
    summary: 'twenty real tokens, then the rest of an answer to another prompt',
    produce: tokens.replayOther,
  },
  'early-end': { summary: 'stops halfway and reports a normal end', changeSteps: lengths.endEarly },
  'three-tokens': {
    summary: 'ends after three tokens and reports a normal end',
    changeSteps: lengths.endAfter(3),
  },
  'skips-eos': { summary: 'continues past the end of the text', changeJob: lengths.ignoreEnd },
  'ignores-temperature': {
    summary: 'always takes the most likely token, whatever the temperature',
    changeJob: tokens.sampleGreedily,
  },
  'absurd-logprobs': { summary: 'logprob -100 for every token', changeSteps: tokens.claimLogprob(-100) },
  'positive-logprobs': { summary: 'logprob +5 for every token', changeSteps: tokens.claimLogprob(5) },
  'unreadable-logprobs': {
    summary: 'logprobs of NaN, Infinity and 1000 in turn',
    changeSteps: tokens.sendUnreadableLogprobs,
    sendsNonFiniteNumbers: true,
  },
  'zero-logprobs': { summary: 'logprob 0 for every token', changeSteps: tokens.claimLogprob(0) },
  'constant-logprobs': { summary: 'logprob -0.05 for every token', changeSteps: tokens.claimLogprob(-0.05) },
  'blurred-logprobs': {
    summary: 'the true logprobs, each off by up to 0.6 nats',
    changeSteps: tokens.blurLogprobs(0.6),
  },
  'no-logprobs': { summary: 'sends no logprobs and no ids', changeJob: tokens.omitLogprobs },
  'wrong-ids': { summary: 'correct text with wrong ids', changeSteps: tokens.shiftIds },
  'garbage-text': { summary: 'correct ids with wrong text', changeSteps: tokens.garbleText },
  'double-tokens': { summary: 'sends each token twice', changeSteps: lengths.sendTwice },
  'multi-token-chunks': { summary: 'honest, with four tokens per chunk', tokensPerChunk: 4 },
  'too-long': { summary: 'sixteen tokens more than max_tokens', changeJob: lengths.exceedMaxTokens },
  'too-short': { summary: 'ends after two tokens', changeSteps: lengths.endAfter(2) },
  'empty-answer': { summary: 'ends the stream without a token', changeSteps: lengths.sendNothing },
  stall: { summary: 'pauses for eight seconds halfway', changeSteps: lengths.stallHalfway },
  drip: { summary: 'sends a token every 4.9 seconds, endlessly', changeSteps: lengths.dripEndlessly },
  'endless-line': {
    summary: 'five tokens, then a line that never ends',
    trick: { afterEvents: 5, chunks: bytes.endlessLine },
  },
  'huge-event': {
    summary: 'five tokens, then an event of eight megabytes',
    trick: { afterEvents: 5, chunks: bytes.hugeEvent },
  },
  'event-flood': {
    summary: 'five tokens, then a million empty events',
    trick: { afterEvents: 5, chunks: bytes.eventFlood },
  },
  'token-flood': {
    summary: 'five tokens, then events that claim fifteen thousand tokens each',
    trick: { afterEvents: 5, chunks: bytes.tokenFlood },
  },
  'nested-events': {
    summary: 'five tokens, then sixty events of deeply nested lists',
    trick: { afterEvents: 5, chunks: bytes.nestedEvents },
  },
  'wide-events': {
    summary: 'five tokens, then two hundred events of objects that are slow to parse',
    trick: { afterEvents: 5, chunks: bytes.wideEvents },
  },
  malformed: {
    summary: 'every fifth event is broken JSON, an empty list, null, a string or invalid UTF-8',
    changeEvent: bytes.malformEvent,
  },
  'crash-ids': {
    summary: 'ids outside any vocabulary, lone surrogates, logprobs of 1000',
    changeSteps: tokens.sendCrashInputs,
  },
  'http-500': { summary: 'responds with status 500', respond: bytes.respondWith(500) },
  'http-429': { summary: 'responds with status 429', respond: bytes.respondWith(429) },
  'http-404': { summary: 'responds with status 404', respond: bytes.respondWith(404) },
  refuse: { summary: 'resets the connection before sending a byte', respond: bytes.resetConnection },
  reset: { summary: 'resets the connection after ten events', trick: { afterEvents: 10, isReset: true } },
  silent: { summary: 'accepts the request and never answers', respond: bytes.neverAnswer },
  redirect: { summary: 'redirects to an internal address', respond: bytes.redirectToInternal },
  'gzip-bomb': { summary: 'a small body that decompresses to 256 megabytes', respond: bytes.sendGzipBomb },
} as const satisfies Record<string, Behaviour>

export type BehaviourName = keyof typeof CATALOGUE

/** `honest` and the cheats. */
export const BEHAVIOURS = Object.keys(CATALOGUE) as readonly BehaviourName[]

export function behaviourOf(name: BehaviourName): Behaviour {
  return CATALOGUE[name]
}

export const HONEST: Behaviour = CATALOGUE.honest

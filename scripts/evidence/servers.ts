import type { AnswerPlan, Server } from '../../test/support/evidence-simulation/index.js'

/** Noise of the engine that the levels are calibrated with, in nats per logit: two batch sizes of one card in bfloat16. */
export const CALIBRATED = 0.03

const HONEST: Server = { noise: CALIBRATED, dialect: 'murmur3' }
const UNSEEDED: Server = { noise: CALIBRATED }

export interface HonestServer {
  readonly name: string
  readonly server: Server
}

export const HONEST_SERVERS: readonly HonestServer[] = [
  { name: 'dialect murmur3', server: HONEST },
  { name: 'dialect philox-fp32', server: { ...HONEST, dialect: 'philox-fp32' } },
  { name: 'dialect philox-64', server: { ...HONEST, dialect: 'philox-64' } },
  { name: 'no dialect', server: UNSEEDED },
  {
    name: 'noise that lasts within an answer (autoregressive, 0.9)',
    server: { ...HONEST, correlation: 0.9 },
  },
  { name: 'half of the noise common to an answer', server: { ...HONEST, common: 0.5 } },
  { name: 'batches of uneven noise (spread 0.3)', server: { ...HONEST, spread: 0.3 } },
  {
    name: 'lasting, common and uneven at once',
    server: { ...HONEST, correlation: 0.9, common: 0.3, spread: 0.3 },
  },
  { name: 'logits rounded to 0.125, as bfloat16 does', server: { ...HONEST, rounding: 0.125 } },
  { name: 'other hardware: noise 0.05', server: { ...HONEST, noise: 0.05 } },
]

/** Temperatures of the answers: one in five greedy and the others spread, all 0.9, all greedy, or all sampled. */
export type Traffic = 'mixed' | 'at 0.9' | 'greedy' | 'sampled'

export function temperatureOf(traffic: Traffic, index: number): number {
  if (traffic === 'greedy') return 0
  if (traffic === 'at 0.9') return 0.9
  if (traffic === 'mixed' && index % 5 === 0) return 0
  return (1 + ((index * 7) % 13)) / 10
}

export interface Cheat {
  readonly name: string
  readonly traffic: Traffic
  /** The server that gives the n-th answer. */
  readonly server: (index: number) => Server
  /** Tokens within which an alarm is wanted, where there is a goal. */
  readonly goal?: number
  /** Honest answers given before. */
  readonly honestBefore?: number
}

const noisy = (noise: number, isRescored = false): Server => ({ ...HONEST, noise, isRescored })
const noisyUnseeded = (noise: number): Server => ({ noise, isRescored: true })
const always = (server: Server) => () => server
const oneInTen = (server: Server) => (index: number) => (index % 10 === 3 ? server : HONEST)
const hotter = (served: number, server: Server = HONEST): Server => ({
  ...server,
  temperatureFactor: served / 0.9,
})
const NOISES = [0.1, 0.2, 0.3, 0.7] as const
const goalOf = (noise: number) => (noise >= 0.3 ? { goal: 1_000 } : { goal: 10_000 })

export const CHEATS: readonly Cheat[] = [
  ...NOISES.map((noise) => ({
    ...{ name: `noise ${noise}`, traffic: 'mixed' as const, server: always(noisy(noise)), ...goalOf(noise) },
  })),
  ...NOISES.map((noise) => ({
    ...{ name: `noise ${noise}, rescored, seeds followed (S)`, traffic: 'sampled' as const },
    ...{ server: always(noisy(noise, true)), ...goalOf(noise) },
  })),
  ...NOISES.map((noise) => ({
    ...{ name: `noise ${noise}, rescored, greedy only (G)`, traffic: 'greedy' as const },
    ...{ server: always(noisyUnseeded(noise)), ...goalOf(noise) },
  })),
  ...[0.8, 0.7, 0.5].map((served) => ({
    ...{ name: `temperature 0.9 served as ${served}`, traffic: 'at 0.9' as const },
    ...{ server: always(hotter(served)), ...(served === 0.8 ? {} : { goal: 1_500 }) },
  })),
  ...[0.8, 0.7, 0.5].map((served) => ({
    ...{ name: `temperature 0.9 served as ${served}, no dialect`, traffic: 'at 0.9' as const },
    ...{ server: always(hotter(served, UNSEEDED)), ...(served === 0.8 ? {} : { goal: 1_500 }) },
  })),
  {
    ...{ name: 'system prompt dropped: 5 % of the tokens unrelated, greedy', traffic: 'greedy', goal: 1_000 },
    server: always({ ...UNSEEDED, unrelated: 0.05, isRescored: true }),
  },
  {
    ...{ name: 'prompt truncated: 20 % of the tokens unrelated, greedy', traffic: 'greedy', goal: 1_000 },
    server: always({ ...UNSEEDED, unrelated: 0.2, isRescored: true }),
  },
  {
    ...{ name: 'draft tokens accepted unverified: 30 %, noise 1', traffic: 'mixed' },
    server: always({ ...UNSEEDED, draft: { share: 0.3, noise: 1 }, isRescored: true }),
  },
  {
    ...{ name: 'one answer in ten with noise 0.3', traffic: 'mixed', goal: 10_000 },
    server: oneInTen(noisy(0.3)),
  },
  {
    ...{ name: 'one answer in ten with noise 0.7', traffic: 'mixed', goal: 10_000 },
    server: oneInTen(noisy(0.7)),
  },
  {
    ...{ name: 'noise 0.3 after 10,000 honest answers', traffic: 'mixed', goal: 1_200, honestBefore: 10_000 },
    server: always(noisy(0.3)),
  },
]

/** Miners of which the figure draws the wealth. */
export const DRAWN: readonly Cheat[] = [
  { name: 'honest', traffic: 'mixed', server: always(HONEST) },
  { name: 'noise 0.1', traffic: 'mixed', server: always(noisy(0.1)) },
  { name: 'noise 0.2, rescored', traffic: 'mixed', server: always(noisy(0.2, true)) },
  { name: 'noise 0.3', traffic: 'mixed', server: always(noisy(0.3)) },
  {
    ...{ name: '0.9 served as 0.7, no dialect', traffic: 'at 0.9' },
    server: always(hotter(0.7, UNSEEDED)),
  },
  { name: 'one in ten at noise 0.7', traffic: 'mixed', server: oneInTen(noisy(0.7)) },
]

export function planOf({ traffic, server }: Cheat, tokens: number): (index: number) => AnswerPlan {
  return (index) => ({ server: server(index), temperature: temperatureOf(traffic, index), tokens })
}

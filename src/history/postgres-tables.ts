import { bigserial, doublePrecision, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import type { StatisticEvidence } from './report-document.js'

/** The verdict on one answer of one miner; sqlite-tables.ts has the same columns. */
export const results = pgTable('results', {
  id: bigserial('id', { mode: 'number' }).primaryKey(),
  at: timestamp('at', { withTimezone: true, mode: 'date' }).notNull(),
  validator: text('validator').notNull(),
  round: integer('round').notNull(),
  block: integer('block').notNull(),
  uid: integer('uid').notNull(),
  hotkey: text('hotkey').notNull(),
  model: text('model').notNull(),
  endpoint: text('endpoint').notNull(),
  kind: text('kind').notNull(),
  cause: text('cause'),
  detail: text('detail'),
  tokens: integer('tokens').notNull(),
  maxTokens: integer('max_tokens').notNull(),
  temperature: doublePrecision('temperature').notNull(),
  seed: integer('seed'),
  tokensPerSecond: doublePrecision('tokens_per_second').notNull(),
  timeToFirstTokenMs: doublePrecision('time_to_first_token_ms').notNull(),
  totalMs: doublePrecision('total_ms').notNull(),
  burstShare: doublePrecision('burst_share').notNull(),
  stallMs: doublePrecision('stall_ms').notNull(),
})

/** Weights confirmed on chain. */
export const weights = pgTable('weights', {
  id: bigserial('id', { mode: 'number' }).primaryKey(),
  at: timestamp('at', { withTimezone: true, mode: 'date' }).notNull(),
  validator: text('validator').notNull(),
  block: integer('block').notNull(),
  path: text('path').notNull(),
  entries: jsonb('entries')
    .$type<readonly { readonly uid: number; readonly weightU16: number }[]>()
    .notNull(),
})

/** What the evidence said of a miner and model at a time; wealth and threshold as decimal logarithms. */
export const evidence = pgTable('evidence', {
  id: bigserial('id', { mode: 'number' }).primaryKey(),
  at: timestamp('at', { withTimezone: true, mode: 'date' }).notNull(),
  validator: text('validator').notNull(),
  hotkey: text('hotkey').notNull(),
  model: text('model').notNull(),
  level: text('level').notNull(),
  enforces: integer('enforces').notNull(),
  suspicion: doublePrecision('suspicion').notNull(),
  enforced: doublePrecision('enforced').notNull(),
  threshold: doublePrecision('threshold').notNull(),
  answers: doublePrecision('answers').notNull(),
  tokens: doublePrecision('tokens').notNull(),
  dialect: text('dialect'),
  sentence: text('sentence').notNull(),
  statistics: jsonb('statistics').$type<readonly StatisticEvidence[]>().notNull(),
})

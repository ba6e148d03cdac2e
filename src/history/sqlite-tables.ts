import { integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type {
  evidence as postgresEvidence,
  results as postgresResults,
  weights as postgresWeights,
} from './postgres-tables.js'
import type { StatisticEvidence } from './report-document.js'

/** The columns of postgres-tables.ts in SQLite, where times are milliseconds since 1970 in UTC and lists are JSON text. */
export const results = sqliteTable('results', {
  id: integer('id').primaryKey(),
  at: integer('at', { mode: 'timestamp_ms' }).notNull(),
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
  temperature: real('temperature').notNull(),
  seed: integer('seed'),
  tokensPerSecond: real('tokens_per_second').notNull(),
  timeToFirstTokenMs: real('time_to_first_token_ms').notNull(),
  totalMs: real('total_ms').notNull(),
  burstShare: real('burst_share').notNull(),
  stallMs: real('stall_ms').notNull(),
})

export const weights = sqliteTable('weights', {
  id: integer('id').primaryKey(),
  at: integer('at', { mode: 'timestamp_ms' }).notNull(),
  validator: text('validator').notNull(),
  block: integer('block').notNull(),
  path: text('path').notNull(),
  entries: text('entries', { mode: 'json' })
    .$type<readonly { readonly uid: number; readonly weightU16: number }[]>()
    .notNull(),
})

export const evidence = sqliteTable('evidence', {
  id: integer('id').primaryKey(),
  at: integer('at', { mode: 'timestamp_ms' }).notNull(),
  validator: text('validator').notNull(),
  hotkey: text('hotkey').notNull(),
  model: text('model').notNull(),
  level: text('level').notNull(),
  enforces: integer('enforces').notNull(),
  suspicion: real('suspicion').notNull(),
  enforced: real('enforced').notNull(),
  threshold: real('threshold').notNull(),
  answers: real('answers').notNull(),
  tokens: real('tokens').notNull(),
  dialect: text('dialect'),
  sentence: text('sentence').notNull(),
  statistics: text('statistics', { mode: 'json' }).$type<readonly StatisticEvidence[]>().notNull(),
})

// a type error here means that the columns of the two databases differ
type SameRows<A, B> = [A, B] extends [B, A] ? true : never
true satisfies SameRows<typeof results.$inferSelect, typeof postgresResults.$inferSelect>
true satisfies SameRows<typeof weights.$inferSelect, typeof postgresWeights.$inferSelect>
true satisfies SameRows<typeof evidence.$inferSelect, typeof postgresEvidence.$inferSelect>

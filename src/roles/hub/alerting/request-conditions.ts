import type { Condition } from '../../../alerts/index.js'
import { ANSWERED, END_WINDOW_MS, type RequestEnds } from './request-ends.js'

export interface RequestParts {
  readonly miners: { readonly models: () => readonly string[] }
  readonly ends: Pick<RequestEnds, 'recent' | 'usedModels'>
}

/** The hub asks all miners again within a minute. */
const MINERS_MS = 120_000
/** A miner that restarts is back by then. */
const LOST_MS = 300_000
/** Fewer requests say too little. */
const LEAST_REQUESTS = 20
const LEAST_OF_MODEL = 10
const HIGH_SHARE = 0.2

/** Whether miners serve what users ask for, and how requests end. */
export function requestConditions(parts: RequestParts): Condition[] {
  return [...minerConditions(parts), failingCondition(parts), modelCondition(parts)]
}

function minerConditions({ miners, ends }: RequestParts): Condition[] {
  return [
    {
      ...{ id: 'nothing-served', severity: 'critical', forMs: MINERS_MS },
      look: () => {
        if (miners.models().length > 0) return []
        return [
          {
            sentence: 'No miner serves a model, so every request fails with 404 or 503.',
            next: 'Check the chain endpoint, the stake of this hotkey and the firewall; targon doctor hub asks miners and names what fails.',
          },
        ]
      },
    },
    {
      ...{ id: 'model-lost', severity: 'warning', forMs: LOST_MS },
      look: () => {
        const served = miners.models()
        // Without any model, that is another alert.
        if (served.length === 0) return []
        return ends
          .usedModels()
          .filter((model) => !served.includes(model))
          .map((model) => ({
            subject: model,
            sentence: `No miner serves ${model} any more; users requested it within the last day.`,
            next: 'Tell users, or ask miners to serve it again; /status lists the miners and why each did not answer.',
          }))
      },
    },
  ]
}

function failingCondition({ ends }: RequestParts): Condition {
  return {
    ...{ id: 'requests-failing', severity: 'critical', forMs: 0, settleMs: END_WINDOW_MS },
    look: () => {
      const { all, failed, most } = summarize(ends.recent())
      if (all < LEAST_REQUESTS || failed <= all * HIGH_SHARE) return []
      const share = Math.round((100 * failed) / all)
      return [
        {
          sentence: `${share} % of the ${all} requests of the last 15 minutes failed, most often with ${most}.`,
          next: 'Look for the event hub-request-failed in the log, which has the causes, and at the miners in /status; docs/hub.md explains the codes.',
        },
      ]
    },
  }
}

function modelCondition({ miners, ends }: RequestParts): Condition {
  return {
    ...{ id: 'model-failing', severity: 'critical', forMs: 0, settleMs: END_WINDOW_MS },
    look: () =>
      miners.models().flatMap((model) => {
        const { all, failed, most } = summarize(ends.recent(model))
        if (failed < LEAST_OF_MODEL || failed < all) return []
        return [
          {
            subject: model,
            sentence: `All ${failed} requests for ${model} in the last 15 minutes failed, most often with ${most}.`,
            next: 'Look at the miners that serve it in /status; targon query --all asks each of them.',
          },
        ]
      }),
  }
}

function summarize(counts: ReadonlyMap<string, number>) {
  const failures = [...counts].filter(([label]) => label !== ANSWERED).sort(([, a], [, b]) => b - a)
  const failed = failures.reduce((sum, [, number]) => sum + number, 0)
  return { all: failed + (counts.get(ANSWERED) ?? 0), failed, most: failures[0]?.[0] ?? '' }
}

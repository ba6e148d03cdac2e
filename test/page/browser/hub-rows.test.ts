import { describe, expect, it } from 'vitest'
import {
  lastMinute,
  leftOf,
  ofLimit,
  organicsText,
  otherKeysText,
  routedRows,
  routedState,
  shareText,
} from '../../../src/page/browser/hub-rows.js'
import { hubStatusOf } from '../../support/page-documents.js'

const NOW = Date.parse('2026-01-01T00:15:00.000Z')

describe('the page of a hub', () => {
  it('has a row for each miner and model, and says why one is not asked', () => {
    const rows = routedRows(hubStatusOf().miners)
    expect(rows.map(routedState)).toEqual([
      'asked',
      'left out after failures',
      'does not list its models: connection refused',
    ])
    const [asked] = rows
    if (!asked?.routed) throw new Error('the first miner serves a model')
    const routed = { ...asked.routed, share: 0, quality: 0 }
    expect(routedState({ ...asked, routed })).toBe('not asked: validators refute its answers')
    expect(routedState({ ...asked, routed: { ...routed, quality: 0.4 } })).toBe('not asked')
    expect(routedState({ ...asked, routed: { ...routed, share: 0.01, quality: null } })).toBe('new')
    expect(routedState({ ...asked, routed: undefined })).toBe('serves no model')
    expect([shareText(0.125), shareText(0.004), shareText(0), shareText(null)]).toEqual([
      ...['13 %', '<1 %', '0 %', '–'],
    ])
  })

  it('tells what is left of the tighter limit of a key', () => {
    const key = {
      id: 'k',
      name: 'k',
      tokensToday: 90,
      tokensPerDay: 100,
      spentTokens: 400,
      budgetTokens: 500,
    }
    expect(leftOf(key)).toBeCloseTo(0.1)
    expect(leftOf({ ...key, tokensPerDay: null })).toBeCloseTo(0.2)
    expect(leftOf({ ...key, budgetTokens: 100 })).toBe(0)
    expect(leftOf({ ...key, tokensPerDay: null, budgetTokens: null })).toBeUndefined()
    expect([ofLimit(5, null), ofLimit(5, 10)]).toEqual(['5', '5 of 10'])
    expect(otherKeysText({ keys: 0, tokensToday: 0 })).toBe('')
    expect(otherKeysText({ keys: 3, tokensToday: 9 })).toBe('3 more keys have used 9 tokens today.')
  })

  it('counts the last minute once there is one', () => {
    const sample = {
      at: '',
      requests: 2,
      failed: 1,
      failovers: 0,
      hedges: 0,
      tokensPerSecond: 0,
      firstTokenMs: null,
    }
    expect(lastMinute(new Array(11).fill(sample), 5000)).toBeUndefined()
    expect(lastMinute(new Array(40).fill(sample), 5000)).toEqual({ requests: 24, failed: 12 })
  })

  it('says what is kept for validators, and when they get other answers', () => {
    const { records, bucket } = hubStatusOf()
    expect(organicsText({ records, bucket }, NOW)).toBe(
      '40 requests with their answers are kept (2.0 MiB). Validators are handed a bucket of 30, drawn 5 min ago; the next one comes in 15 min.',
    )
    expect(organicsText({ records: { ...records, dropped: 2 }, bucket: null }, NOW)).toBe(
      '40 requests with their answers are kept (2.0 MiB); 2 could not be kept for want of room. No bucket has been drawn for validators.',
    )
  })
})

import { describe, expect, it } from 'vitest'
import { formatOf, writeMessage } from '../../src/alerts/message.js'
import type { AlertChange } from '../../src/alerts/types.js'

const source = { role: 'miner', name: 'miner', netuid: 4, hotkey: '5Hot', version: '5.0.0' } as const
const alert = {
  id: 'upstream-down',
  severity: 'warning',
  subject: 'http://127.0.0.1:8000',
  sentence: 'The model server http://127.0.0.1:8000 is down: <!channel> & @everyone *refused*.',
  next: 'Check that it runs.',
  since: '2026-01-01T00:00:00.000Z',
} as const
const raised: AlertChange = { kind: 'raised', alert, lastedMs: 0 }
const resolved: AlertChange = { kind: 'resolved', alert, lastedMs: 720_000 }

describe('the format', () => {
  it.each([
    ['https://hooks.slack.com/services/T/B/x', 'slack'],
    ['https://discord.com/api/webhooks/1/x', 'discord'],
    ['https://canary.discord.com/api/webhooks/1/x', 'discord'],
    ['https://discordapp.com/api/webhooks/1/x', 'discord'],
    ['https://discord.com.example.org/x', 'json'],
    ['https://evildiscord.com/x', 'json'],
    ['http://127.0.0.1:9000/alerts', 'json'],
  ])('of %s is %s', (url, format) => {
    expect(formatOf(new URL(url))).toBe(format)
  })
})

describe('a message', () => {
  it('in JSON has the node and every change as fields', () => {
    expect(JSON.parse(writeMessage('json', source, { changes: [raised, resolved], omitted: 2 }))).toEqual({
      version: 1,
      node: source,
      alerts: [
        { status: 'raised', ...alert },
        { status: 'resolved', ...alert, lastedSeconds: 720 },
      ],
      omitted: 2,
    })
  })

  it('for Slack is one text in which nothing can be read as a mention or a link', () => {
    const { text } = JSON.parse(writeMessage('slack', source, { changes: [raised, resolved], omitted: 0 }))
    expect(text.split('\n')).toEqual([
      'Targon miner, subnet 4, hotkey 5Hot, version 5.0.0',
      '[warning] upstream-down: The model server http://127.0.0.1:8000 is down: &lt;!channel&gt; &amp; @everyone *refused*. Check that it runs.',
      '[resolved after 12 min] upstream-down: The model server http://127.0.0.1:8000 is down: &lt;!channel&gt; &amp; @everyone *refused*.',
    ])
  })

  it('for Discord mentions nobody, escapes Markdown, and fits', () => {
    const one = JSON.parse(
      writeMessage('discord', { ...source, name: 'second' }, { changes: [raised], omitted: 3 }),
    )
    expect(one.allowed_mentions).toEqual({ parse: [] })
    expect(one.content).toContain('Targon miner second, subnet 4')
    expect(one.content).toContain('\\*refused\\*')
    expect(one.content).toContain('3 more changes are not listed')
    const changes = Array.from({ length: 20 }, () => raised)
    const { content } = JSON.parse(writeMessage('discord', source, { changes, omitted: 0 }))
    expect(content.length).toBeLessThanOrEqual(2000)
    expect(content).toContain('The rest does not fit')
  })

  it('escapes control characters of foreign texts', () => {
    const evil = { ...raised, alert: { ...alert, sentence: 'down:\n[critical] all is lost\u001b[2J' } }
    const { text } = JSON.parse(writeMessage('slack', source, { changes: [evil], omitted: 0 }))
    expect(text.split('\n')).toHaveLength(2)
  })
})

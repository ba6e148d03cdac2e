import { describe, expect, test } from 'vitest'
import { type Checker, closeTo, sameJson } from './checker.js'
import { runFile } from './run-file.js'

const checker: Checker = {
  vectors: 'sums',
  rules: { rounding: 'ours rounds' },
  check({ a, b, sum, rule }) {
    if (a === 'throw') throw new Error('broken')
    if (a + b === sum) return { agrees: true }
    return rule === undefined ? { agrees: false, detail: `${a + b}` } : { agrees: false, explainedBy: rule }
  },
}
const fileOf = (json: unknown, name = 'x.json') => ({ name, json, bytes: Buffer.from(JSON.stringify(json)) })
const run = (cases: unknown[], vectors = 'sums') => runFile(fileOf({ vectors, cases }), [checker])

describe('runFile', () => {
  test('counts cases that agree, are explained by a rule, and differ', async () => {
    const report = await run([
      { id: 'a', a: 1, b: 2, sum: 3 },
      { id: 'b', a: 1, b: 2, sum: 4, rule: 'rounding' },
      { id: 'c', a: 1, b: 2, sum: 4 },
    ])
    expect(report).toMatchObject({ ran: 3, agreed: 1, explained: 1, differing: ['c: 3'], uncovered: 0 })
  })

  test('counts an undeclared rule and a throwing checker as differences', async () => {
    const report = await run([
      { id: 'a', a: 1, b: 2, sum: 4, rule: 'because' },
      { id: 'b', a: 'throw' },
    ])
    expect(report.explained).toBe(0)
    expect(report.differing).toEqual(['a: undeclared rule because', expect.stringContaining('b: threw')])
  })

  test('reports an unknown file as uncovered, and a known one without cases as a problem', async () => {
    expect(await run([{}, {}], 'others')).toMatchObject({ ran: 0, uncovered: 2 })
    expect(await runFile(fileOf({ some: 'thing' }), [checker])).toMatchObject({ ran: 0, uncovered: 1 })
    expect((await run([])).problem).toBe('no cases in a file of kind sums')
    expect((await runFile(fileOf({ vectors: 'sums' }), [checker])).problem).toBeDefined()
  })

  test('recognises a file by its envelope or by its shape, not by its name', async () => {
    const byShape: Checker = {
      ...checker,
      vectors: 'pairs',
      cases: ({ json }) => (Array.isArray(json) ? json : undefined),
    }
    expect(await runFile(fileOf([{ a: 1, b: 1, sum: 2 }], 'any.hex'), [checker, byShape])).toMatchObject({
      agreed: 1,
    })
  })
})

describe('closeTo and sameJson', () => {
  test('compare numbers relatively, and treat absent as null', () => {
    expect(closeTo(1e9, 1e9 + 0.5)).toBe(true)
    expect(closeTo(1, 1.001)).toBe(false)
    expect(closeTo(Number.NaN, Number.NaN)).toBe(true)
    expect(sameJson({ a: null }, {})).toBe(true)
    expect(sameJson({ a: [1, 2] }, { a: [1] })).toBe(false)
    expect(sameJson([], {})).toBe(false)
    expect(sameJson('1', 1)).toBe(false)
  })
})

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { drawFalseAlarms, drawPower, drawWealth } from '../../scripts/evidence/figures.js'
import { readResults } from '../../scripts/evidence/results.js'
import { fillTables } from '../../scripts/evidence/write-page.js'

const read = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
const results = readResults()

it('docs/evidence.md has the tables of results.json; run npm run evidence -- page when it does not', () => {
  const page = read('evidence.md')
  expect(page).toContain('<!-- honest -->')
  expect(page).toContain('<!-- power -->')
  expect(fillTables(page, results)).toBe(page)
})

it.each([
  ['wealth', drawWealth],
  ['power', drawPower],
  ['false-alarms', drawFalseAlarms],
])('docs/evidence/%s.svg shows results.json', (name, draw) => {
  expect(read(`evidence/${name}.svg`)).toBe(draw(results))
})

it('no honest server of the experiment was accused', () => {
  for (const { name, alarms, months } of results.honest) {
    expect([name, alarms]).toEqual([name, 0])
    const accused = months.enforced[2 * results.loose.threshold] ?? 0
    expect(accused / months.count).toBeLessThanOrEqual(results.loose.falseAlarm)
  }
})

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { renderBoardPicture } from '../../scripts/docs/board-svg.js'

it('docs/board.svg shows what the program draws', () => {
  const picture = readFileSync(new URL('../../docs/board.svg', import.meta.url), 'utf8')
  expect(picture).toBe(renderBoardPicture())
  expect(picture).toContain('<tspan fill="#81c995">verified')
  expect(picture).not.toContain('\u001b')
})

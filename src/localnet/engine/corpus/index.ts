import { ANSWERS } from './answers.js'
import { CITY } from './city.js'
import { COUNTRY } from './country.js'
import { WORKSHOP } from './workshop.js'

/** The training text: documents by theme. */
export const CORPUS = {
  answers: ANSWERS.split('\n'),
  country: COUNTRY.split('\n'),
  workshop: WORKSHOP.split('\n'),
  city: CITY.split('\n'),
} as const satisfies Record<string, readonly string[]>

export type Theme = keyof typeof CORPUS

import { dateText, type Persona } from './persona.js'
import type { Random } from './random.js'

/** What one request asks, before it is worded. */
interface Asked extends Persona {
  readonly question: string
  readonly date: string
}

type Phrase = (asked: Asked) => string

/** Who answers. Each names the persona, so that no two miners of a round get the same text. */
const ROLES: readonly Phrase[] = [
  ({ name, country }) => `You are ${name}, an expert from ${country} who knows this subject well.`,
  ({ name, country }) => `You are a helpful assistant for ${name}, who lives in ${country}.`,
  ({ name, country }) => `Act as ${name}, a teacher in ${country}.`,
  ({ name, country }) => `Your name is ${name}. You write for a newspaper in ${country}.`,
  ({ name, country, date }) => `Today is ${date}. The user is ${name} from ${country}.`,
  ({ name, country }) => `${name} (${country}) is preparing a talk and needs your help.`,
  ({ name, country }) => `You answer questions of students. This one comes from ${name} in ${country}.`,
  ({ name, country, date }) => `You're an AI assistant. Date: ${date}. User: ${name}, ${country}.`,
]

/** How to answer; most ask for a long answer, whose speed can be measured. */
const MANNERS: readonly Phrase[] = [
  () => 'Answer as fully and precisely as you can.',
  () => 'Explain step by step and give examples.',
  () => 'First restate the question in your own words, then answer it in detail.',
  () => 'Introduce yourself in one sentence, then give a thorough answer.',
  () => 'Write several paragraphs. Always answer in English.',
  () => 'Be detailed, and say where experts disagree.',
  () => 'Give some background first, then the answer, then a short summary.',
  () => 'Use plain words and go through every aspect.',
  ({ country }) => `Where it helps, take examples from ${country}.`,
  () => '',
]

/** How a user brings a question up when there is no system message. */
const OPENINGS: readonly Phrase[] = [
  ({ name, country, question }) => `Hi, I'm ${name} from ${country}. ${question}`,
  ({ name, country, question }) => `${question}\n\nThanks, ${name} (${country})`,
  ({ name, country, question }) => `Explain this to ${name}, who lives in ${country}: ${question}`,
  ({ name, country, question }) => `My friend ${name} in ${country} wants to know: ${question}`,
  ({ name, country, question }) => `${name} asked me this while travelling in ${country}. ${question}`,
]

/** Texts to be continued. */
const TEXTS: readonly Phrase[] = [
  ({ name, country, question }) => `Question from ${name} (${country}): ${question}\nAnswer:`,
  ({ name, country, question }) => `Q: ${question}\n\nA (by ${name}, ${country}):`,
  ({ name, country, question }) =>
    `${question}\n\n${name}, who has studied this in ${country}, explains:\n\n`,
  ({ name, country, question }) => `# ${question}\n\nBy ${name}, ${country}\n\n`,
  ({ name, country, question, date }) => `${country}, ${date}\n\nDear ${name},\n\nyou asked: ${question}\n\n`,
]

/** Words the request of one miner, with or without a system message, as users do. */
export function wordContent(
  endpoint: 'chat' | 'completion',
  persona: Persona,
  today: Date,
  question: string,
  random: Random,
) {
  const asked = { ...persona, question, date: dateText(today, random.pick(DATE_STYLES)) }
  const manner = random.pick(MANNERS)(asked)
  const system = [random.pick(ROLES)(asked), manner].filter((text) => text !== '').join(' ')
  const opening = [random.pick(OPENINGS)(asked), manner].filter((text) => text !== '').join('\n')
  const text = random.pick(TEXTS)(asked)
  const hasSystem = random.next() < 0.6
  if (endpoint === 'completion')
    return { endpoint, prompt: hasSystem ? `${system}\n\n${question}` : text } as const
  return {
    endpoint,
    messages: hasSystem
      ? [{ role: 'system', content: system } as const, { role: 'user', content: question } as const]
      : [{ role: 'user', content: opening } as const],
  } as const
}

const DATE_STYLES = ['full', 'long', 'medium'] as const

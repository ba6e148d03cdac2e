import { CORPUS, type Theme } from '../corpus/index.js'
import { LanguageModel } from './model.js'
import { hashText } from './random.js'
import { Tokenizer } from './tokenizer.js'

interface Recipe {
  readonly themes: readonly Theme[]
  /** Longest token sequence counted. */
  readonly order: number
}

const RECIPES = {
  'targon-dev/small-a': { themes: ['answers', 'country', 'workshop'], order: 3 },
  'targon-dev/small-b': { themes: ['answers', 'city', 'workshop'], order: 3 },
  'targon-dev/medium-a': { themes: ['answers', 'country', 'workshop', 'city'], order: 4 },
} as const satisfies Record<string, Recipe>

export type DevelopmentModel = keyof typeof RECIPES

/** Names the development engine has a model for; each is another model, all share one tokenizer. */
export const DEVELOPMENT_MODELS = Object.keys(RECIPES) as readonly DevelopmentModel[]

const MERGE_COUNT = 1000

let sharedTokenizer: Tokenizer | undefined
const trained = new Map<string, LanguageModel>()

/** The tokenizer of all development models, learned on first use. */
export function loadTokenizer(): Tokenizer {
  const text = Object.values(CORPUS).flat().join('\n\n')
  sharedTokenizer ??= Tokenizer.learn(text, MERGE_COUNT)
  return sharedTokenizer
}

/**
 * The model of this name, trained on first use. Any name has a model: one without a recipe is trained as
 * `targon-dev/small-a` is, with a seed of its own, and so answers differently.
 */
export function loadModel(name: string): LanguageModel {
  const known = trained.get(name)
  if (known) return known
  const tokenizer = loadTokenizer()
  const recipe: Recipe = Object.hasOwn(RECIPES, name)
    ? RECIPES[name as DevelopmentModel]
    : RECIPES['targon-dev/small-a']
  const model = LanguageModel.train(name, tokenizer, trainingDocuments(tokenizer, recipe.themes), {
    order: recipe.order,
    seed: hashText(name),
  })
  trained.set(name, model)
  return model
}

/** Each text as an answer that begins after a header, then all of them in one row, as paragraphs. */
function trainingDocuments(tokenizer: Tokenizer, themes: readonly Theme[]): number[][] {
  const texts = themes.flatMap((theme) => CORPUS[theme])
  const answerStart = tokenizer.encode('<|end_header_id|>\n\n')
  const bos = tokenizer.special('<|begin_of_text|>')
  const answers = texts.map((text) => [...answerStart, ...tokenizer.encode(text)])
  return [...answers, [bos, ...tokenizer.encode(texts.join('\n\n'))]]
}

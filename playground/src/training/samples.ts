import { Random } from "pupil";
import { bimodalLanguage } from "pupil/teachers";

const letters = "abcdefghijklmnopqrstuvwx";

/** Letters in the order of the ring, and then walks along it, so that every letter is there and in its place. */
function ringText(): string {
  const random = new Random(1).stream("ring");
  const language = bimodalLanguage({
    vocabSize: letters.length,
    offsets: [3, 11],
    weight: 0.5,
    width: 3,
  });
  let text = letters;
  let state = language.start;
  for (let n = 0; n < 6_000; n++) {
    let left = random.uniform();
    const probabilities = language.logProbs(state).map(Math.exp);
    let id = 0;
    while (id < letters.length - 1 && left >= (probabilities[id] as number)) {
      left -= probabilities[id] as number;
      id += 1;
    }
    text += letters[id];
    state = language.advance(state, id);
  }
  return text;
}

/** From "Alice's Adventures in Wonderland" by Lewis Carroll, 1865. */
const verse = `"You are old, Father William," the young man said,
"And your hair has become very white;
And yet you incessantly stand on your head—
Do you think, at your age, it is right?"

"In my youth," Father William replied to his son,
"I feared it might injure the brain;
But, now that I'm perfectly sure I have none,
Why, I do it again and again."

"You are old," said the youth, "as I mentioned before,
And have grown most uncommonly fat;
Yet you turned a back-somersault in at the door—
Pray, what is the reason of that?"

"In my youth," said the sage, as he shook his grey locks,
"I kept all my limbs very supple
By the use of this ointment—one shilling the box—
Allow me to sell you a couple?"

"You are old," said the youth, "and your jaws are too weak
For anything tougher than suet;
Yet you finished the goose, with the bones and the beak—
Pray, how did you manage to do it?"

"In my youth," said his father, "I took to the law,
And argued each case with my wife;
And the muscular strength, which it gave to my jaw,
Has lasted the rest of my life."

"You are old," said the youth, "one would hardly suppose
That your eye was as steady as ever;
Yet you balanced an eel on the end of your nose—
What made you so awfully clever?"

"I have answered three questions, and that is enough,"
Said his father; "don't give yourself airs!
Do you think I can listen all day to such stuff?
Be off, or I'll kick you down stairs!"
`;

/** Texts that a link names instead of carrying them. */
export const samples: Readonly<Record<string, () => string>> = {
  ring: ringText,
  verse: () => verse,
};

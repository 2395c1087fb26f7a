/** A secret that is known by how it looks: an anchor that is no secret itself, and what follows it. */
export interface SecretShape {
  /** What it begins with, as the source of a regular expression that matches at most `longestAnchor` characters. */
  readonly anchor: string;
  /** The characters that the rest is made of, as the inside of a character class. */
  readonly characters: string;
  /** The rest is at least so long; shorter ones are no secret. */
  readonly minLength: number;
}

/** Longer than any anchor of the table, and than the first and last line of a private key. */
export const longestAnchor = 96;

const word = 'A-Za-z0-9_-';
const letters = 'A-Za-z0-9';

/** Tokens as their makers describe them; the same are in the rules of gitleaks and of GitHub's secret scanning. */
export const secretShapes: readonly SecretShape[] = [
  // Anthropic, OpenAI, Hugging Face, Google
  { anchor: 'sk-ant-', characters: word, minLength: 20 },
  { anchor: 'sk-(?:proj|svcacct|admin)-', characters: word, minLength: 20 },
  { anchor: 'hf_', characters: letters, minLength: 30 },
  { anchor: 'AIza', characters: word, minLength: 35 },
  // GitHub, GitLab
  { anchor: 'gh[pousr]_', characters: letters, minLength: 36 },
  { anchor: 'github_pat_', characters: 'A-Za-z0-9_', minLength: 22 },
  { anchor: 'gl(?:pat|ptt|rt|dt|ft)-', characters: word, minLength: 20 },
  // AWS: the key's id, and the key where it is named
  { anchor: 'A(?:KIA|SIA)', characters: 'A-Z0-9', minLength: 16 },
  {
    anchor: `(?:aws_secret_access_key|AWS_SECRET_ACCESS_KEY|SecretAccessKey)["']?\\s{0,3}[=:]\\s{0,3}["']?`,
    characters: 'A-Za-z0-9/+',
    minLength: 40,
  },
  // npm, PyPI, Slack, Stripe
  { anchor: 'npm_', characters: letters, minLength: 36 },
  { anchor: 'pypi-AgE', characters: word, minLength: 50 },
  { anchor: 'xox[abeprs]-', characters: 'A-Za-z0-9-', minLength: 20 },
  { anchor: 'xapp-', characters: 'A-Za-z0-9-', minLength: 20 },
  { anchor: '[sr]k_live_', characters: letters, minLength: 20 },
];

/** A private key in PEM's armour: everything between these two lines is secret (RFC 7468; OpenPGP's too). */
export const keyBlock = {
  begin: '-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----',
  end: '-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----',
  /** An RSA key of 16,384 bits has some 13,000 characters. What is longer is none. */
  maxChars: 16 * 1024,
};

/** A fenced block of a page. */
export interface Block {
  /** The line of the page on which its code begins. */
  line: number;
  language: string;
  code: string;
  /** What the comment `<!-- block: … -->` above it says. */
  marker: string | undefined;
}

export function pagePaths(): string[];
export function readPage(path: string): string;
export function fencedBlocks(text: string): Block[];
export function prose(text: string): string;
export function links(text: string): string[];
export function anchors(text: string): Set<string>;
export function brokenLink(page: string, target: string): string | undefined;

"""MELD from its raw layout: three tables of dialogues and one clip per utterance."""

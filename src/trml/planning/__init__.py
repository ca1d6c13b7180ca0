"""From the configuration to every path of work/, and to what each stage is handed. Pure, and without torch."""

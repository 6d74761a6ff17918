"""What people read: prompts, screens, tables, and foreign text made safe."""

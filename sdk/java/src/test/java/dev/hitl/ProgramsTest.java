package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramsTest {
    @TempDir private Path installed;

    private static Path program(Path path) throws IOException {
        Files.writeString(path, "#!/bin/sh\n");
        return Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** The working directory of a Java program cannot be changed, so the program is planted where that is. */
    @Test
    void aBareNameIsNeverFoundInTheWorkingDirectory() throws IOException {
        Path here = Files.createTempDirectory(Path.of("target"), "planted");
        Path name = Path.of("planted-" + ProcessHandle.current().pid());
        Path planted = program(name);
        Path below = program(here.resolve(name));
        Path proper = program(installed.resolve(name));
        try {
            for (String path : List.of("", ":", ".", here.toString(), "./" + here, "/nowhere:", ":/nowhere", "::.")) {
                String all = path.replace(":", File.pathSeparator);
                assertNull(Programs.find(name, all), path);
                assertEquals(proper, Programs.find(name, all + File.pathSeparator + installed), path);
            }
            assertNull(Programs.find(name, null));
            // What is given as a path is meant as one.
            Path given = Path.of(".").resolve(name);
            assertEquals(given.toAbsolutePath(), Programs.find(given, ""));
        } finally {
            Files.delete(planted);
            Files.delete(below);
            Files.delete(here);
        }
    }
}

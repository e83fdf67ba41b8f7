package dev.hitl;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Where the programs are that this package starts. */
public final class Programs {
    private Programs() {}

    /**
     * The absolute path of a program, null if there is none.
     *
     * <p>A bare name is looked for in {@code path}, which is what PATH holds, and there in absolute
     * directories alone: an empty or relative one means wherever this program happens to run, and whoever may
     * write there must not choose what it starts.
     */
    public static Path find(Path program, String path) {
        boolean bare = program.getNameCount() == 1 && !program.isAbsolute();
        Stream<Path> places = bare ? directories(path).map(dir -> dir.resolve(program)) : Stream.of(program);
        return places.map(Path::toAbsolutePath)
                .filter(place -> Files.isRegularFile(place) && Files.isExecutable(place))
                .findFirst()
                .orElse(null);
    }

    private static Stream<Path> directories(String path) {
        return Stream.of((path == null ? "" : path).split(File.pathSeparator))
                .flatMap(Programs::parse)
                .filter(Path::isAbsolute);
    }

    private static Stream<Path> parse(String directory) {
        try {
            return Stream.of(Path.of(directory));
        } catch (InvalidPathException noPath) {
            return Stream.empty();
        }
    }
}
